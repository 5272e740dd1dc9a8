using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;

namespace ChordChat.Client.Scripting;

/// <summary>A running client whose final end interrupts whatever a script waits for.</summary>
internal sealed class ScriptSession : IAsyncDisposable
{
    private static readonly TimeSpan RenewPatience = TimeSpan.FromSeconds(15);

    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _watching;
    private readonly ScriptContext _context;
    private volatile ChordChatException? _trouble;
    private Task? _renewing;

    public ScriptSession(ScriptContext context, UnlockedProfile me)
    {
        _context = context;
        Client = new ChatClient(me, context.Search);
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
                "unavailable", "no node gave us a session in time",
                $"try again; {StartupCommand.Of("status")} shows the nodes");
        }
    }

    /// <summary>Whether this profile has had a session meanwhile, here or in another process.</summary>
    public bool WasConnected => _connected.Task.IsCompleted || !Client.TryHoldSession();

    /// <summary>Waits for <paramref name="task"/>, or fails as soon as the session has ended for good.</summary>
    public async Task UnlessEndedAsync(Task task) => await await Task.WhenAny(task, _ended.Task);

    /// <inheritdoc cref="UnlessEndedAsync(Task)"/>
    public async Task<T> UnlessEndedAsync<T>(Task<T> task)
    {
        await UnlessEndedAsync((Task)task);
        return await task;
    }

    /// <summary>Fails if the session has ended for good.</summary>
    public void ThrowIfEnded()
    {
        if (_ended.Task.IsCompleted)
            _ended.Task.GetAwaiter().GetResult();
    }

    public async ValueTask DisposeAsync()
    {
        if (_renewing is { } renewing)
            await renewing.WaitAsync(RenewPatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stopping.CancelAsync();
        await _watching;
        await Client.DisposeAsync();
        _stopping.Dispose();
    }

    private static string ToAgree(string user) =>
        $"compare safety numbers (in the console: /verify {user}), then send with --accept-identity";

    private async Task WatchAsync()
    {
        try
        {
            await foreach (var happened in Client.Events.ReadAllAsync(_stopping.Token))
                if (happened is ClientEvent.Connected)
                    _connected.TrySetResult();
                else if (happened is ClientEvent.Searching searching)
                    _trouble = searching.Reason;
                else if (happened is ClientEvent.Notice(var text))
                    Output.Say($"chordchat: {text}");
                else if (happened is ClientEvent.KeysChanged changed)
                    Output.Say($"chordchat: {Transcript.KeyAlarm(changed, ToAgree(changed.User))}");
                else if (happened is ClientEvent.Copied copied)
                    _renewing ??= RenewAsync(copied); // Once: what fails is tried again at the next start.
                else if (happened is ClientEvent.Ended ended)
                    _ended.TrySetException(ended.Reason);
        }
        catch (OperationCanceledException)
        {
            _ended.TrySetResult();
        }
    }

    /// <summary>A copied profile becomes a new device, if its password is at hand.</summary>
    private async Task RenewAsync(ClientEvent.Copied copied)
    {
        var what = copied.IsOpenElsewhere ? CopiedProfile.WhatOpen : CopiedProfile.What;
        try
        {
            if (_context.PasswordAtHand is not { } password)
                throw new ChordChatException(
                    "copied_profile", what,
                    $"'{Client.CommandOf($"login {Client.User}")}' makes it a new device; nothing is lost");
            await Client.BecomeNewDeviceAsync(password, _stopping.Token);
            if (!_context.Json)
                Output.Say($"chordchat: {what}; this one has become a new device");
        }
        catch (ChordChatException cause)
        {
            if (cause.Code != "taken_over") // The end of the session says so.
                _context.Complain(cause);
            Client.StayOldDevice();
        }
    }
}
