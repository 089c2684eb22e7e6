/// Every collector the agent knows, in the order of their channels. To add one, add its line.
package let allCollectors: [Registration] = [
]
