using Xunit;

// A cluster wants the machine for itself, and two ./startup.sh must not build into one folder at once.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
