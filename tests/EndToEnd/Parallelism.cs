using Xunit;

// Two clusters at once: each waits half of its time, and three would be late on two processors.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
