using System.Runtime.CompilerServices;

namespace ChordChat.Node.Base;

/// <summary>The newest value of something and whoever watches it; slow watchers skip values, nobody waits for
/// them.</summary>
internal sealed class Latest<T>(T first)
{
    private Cell _cell = new(first);

    public void Publish(T value) => Interlocked.Exchange(ref _cell, new Cell(value)).Replaced.SetResult();

    /// <summary>The value of now, then each newer one that the watcher is ready for.</summary>
    public async IAsyncEnumerable<T> WatchAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            var cell = Volatile.Read(ref _cell);
            yield return cell.Value;
            await cell.Replaced.Task.WaitAsync(cancellation);
        }
    }

    private sealed class Cell(T value)
    {
        public T Value => value;

        public TaskCompletionSource Replaced { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
