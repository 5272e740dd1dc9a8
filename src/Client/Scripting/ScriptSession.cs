using ChordChat.Sdk;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;

namespace ChordChat.Client.Scripting;

/// <summary>A running client whose final end interrupts whatever a script waits for.</summary>
internal sealed class ScriptSession : IAsyncDisposable
{
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _watching;
    private volatile ChordChatException? _trouble;

    public ScriptSession(UnlockedProfile me, NodeSearch search)
    {
        Client = new ChatClient(me, search);
        Client.Start();
        _watching = WatchAsync();
    }

    public ChatClient Client { get; }

    /// <summary>Waits for the first session; content at once when another process of this profile holds it.</summary>
    public async Task ConnectedAsync(TimeSpan timeout, CancellationToken cancellation)
    {
        try
        {
            var first = Client.TryHoldSession() ? _connected.Task : Task.CompletedTask;
            await UnlessEndedAsync(first).WaitAsync(timeout, cancellation);
        }
        catch (TimeoutException)
        {
            throw _trouble ?? new ChordChatException(
                "unavailable", "no node gave us a session in time", "try again; ./startup.sh status shows the nodes");
        }
    }

    /// <summary>Waits for <paramref name="task"/>, or fails as soon as the session has ended for good.</summary>
    public async Task UnlessEndedAsync(Task task) => await await Task.WhenAny(task, _ended.Task);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching;
        await Client.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task WatchAsync()
    {
        try
        {
            await foreach (var happened in Client.Events.ReadAllAsync(_stopping.Token))
                if (happened is ClientEvent.Connected)
                    _connected.TrySetResult();
                else if (happened is ClientEvent.Searching searching)
                    _trouble = searching.Reason;
                else if (happened is ClientEvent.Ended ended)
                    _ended.TrySetException(ended.Reason);
        }
        catch (OperationCanceledException)
        {
            _ended.TrySetResult();
        }
    }
}
