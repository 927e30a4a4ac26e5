"""The reference target: any graph in float64, exactly as the node kinds define it.

It is written as a plugin and uses nothing but the contract; other targets are compared with it.
"""
