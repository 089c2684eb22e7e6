/// The numbers of a power supply, in the message's units; NaN: the driver does not tell.
package struct PowerSupplyProperties: Equatable, Sendable {
    package var online = Double.nan
    package var capacityRatio = Double.nan
    package var volts = Double.nan
    package var amperes = Double.nan
    package var watts = Double.nan
    package var energyJoules = Double.nan
    package var energyFullJoules = Double.nan
    package var chargeCoulombs = Double.nan
    package var chargeFullCoulombs = Double.nan
    package var healthRatio = Double.nan
    package var cycles = Double.nan
    package var secondsToEmpty = Double.nan
    package var secondsToFull = Double.nan

    package init() {}

    /// What a battery does, as far as it matters here.
    package enum Flow: Sendable { case charging, discharging, other }

    /// Finds out what the driver leaves out.
    ///
    /// Drivers disagree on the sign of current and power: for times only the size counts, the status tells where to.
    package mutating func derive(_ flow: Flow) {
        if watts.isNaN { watts = volts * amperes }
        let left = energyJoules.isNaN ? chargeCoulombs : energyJoules
        let full = energyJoules.isNaN ? chargeFullCoulombs : energyFullJoules
        let perSecond = abs(energyJoules.isNaN ? amperes : watts)
        guard perSecond > 0 else { return }
        if flow == .discharging, secondsToEmpty.isNaN { secondsToEmpty = left / perSecond }
        if flow == .charging, secondsToFull.isNaN { secondsToFull = (full - left).notNegative / perSecond }
    }
}
