"""Sources of contracts: one file a source, and the steps that the Protobuf source is made of."""
