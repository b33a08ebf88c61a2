"""The test controls: act as a member, look at the traffic, break things, move the clock."""
