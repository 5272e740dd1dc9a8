using Xunit;

// These tests mostly wait, for probes, leases and quarantines, so more of them than there are processors run at once.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
