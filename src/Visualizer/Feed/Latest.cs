using System.Runtime.CompilerServices;

namespace ChordChat.Visualizer.Feed;

/// <summary>A value that changes, and any number of watchers. A slow one skips; nobody is waited for.</summary>
internal sealed class Latest<T>(T first)
{
    private sealed class Cell(T value)
    {
        public T Value => value;
        public TaskCompletionSource Replaced { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private Cell _cell = new(first);

    public T Value => Volatile.Read(ref _cell).Value;

    public void Publish(T value) => Interlocked.Exchange(ref _cell, new Cell(value)).Replaced.SetResult();

    /// <summary>The value as it is, then each newer one that this watcher is quick enough to see.</summary>
    public async IAsyncEnumerable<T> WatchAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (true)
        {
            var cell = Volatile.Read(ref _cell);
            yield return cell.Value;
            await cell.Replaced.Task.WaitAsync(cancellation);
        }
    }
}
