internal import Telemetry
