using System.Threading.Channels;
using ChordChat.Crypto;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;
using Grpc.Core;

namespace ChordChat.Sdk;

/// <summary>A logged-in user's client: sends, receives, remembers, and stays connected by itself.</summary>
/// <remarks>
/// Several clients may run on one profile at once: one holds the session, the others send and receive through the local
/// store. Disposing ends the session at the node after what is due has been told.
/// </remarks>
public sealed class ChatClient : IAsyncDisposable
{
    private static readonly TimeSpan StorePoll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StorePollAfterFailure = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ChangeSignal _changed = new();
    private readonly UnlockedProfile _me;
    private readonly NodeSearch _search;
    private readonly NodeLinks _links;
    private readonly SessionLease _lease;
    private readonly Receipts _receipts;
    private readonly Outbox _outbox;
    private readonly Inbox _inbox;
    private readonly GapWatch _gaps;
    private readonly SessionKeeper _keeper;
    private readonly EventSink _sink;
    private readonly FailureReports _reports;
    private readonly SentBeside _beside;
    private Task _running = Task.CompletedTask;

    /// <param name="me">The unlocked profile; it stays the caller's and must outlive the client.</param>
    public ChatClient(UnlockedProfile me, NodeSearch search)
    {
        (_me, _search) = (me, search);
        _reports = new FailureReports(what => _sink!.Tell(what));
        var pool = new NodePool(search, me.Profile.Trust, me.Profile.KnownNodes, _reports);
        _links = new NodeLinks(pool, new UserPass(me.Profile, () => me.Device, _reports));
        _lease = new SessionLease(me.Profile.Folder);
        var messages = new MessageTable(me.User, me.Key);
        History = new History(me.Store, messages, _changed);
        _sink = new EventSink(History, me);
        _beside = new SentBeside(me.Store, messages);
        var keys = new KeyBook(me, new KeyQuestions(me.Cluster, _links, _sink.Tell), _sink.Tell);
        _outbox = new Outbox(me, keys, messages, TimeProvider.System);
        _receipts = new Receipts(me.Store, _outbox, TimeProvider.System);
        _inbox = new Inbox(me, keys, messages, TimeProvider.System, _sink);
        _gaps = new GapWatch(_inbox, _changed, TimeProvider.System);
        Circle = new Circle(me.Store, _changed);
        _keeper = new SessionKeeper(
            me, _links, keys, _outbox, _inbox, new UnjudgedMail(me.Store, TimeProvider.System), _gaps, _receipts,
            Circle, _changed, _lease, _sink, _reports);
        People = new People(me, keys, _changed);
        Lookup = new Lookup(_links);
    }

    public string User => _me.User;

    /// <inheritdoc cref="ProfileCommand.Of"/>
    public string CommandOf(string words) => ProfileCommand.Of(_me.Profile, words);

    /// <summary>The newest envelopes that were not genuine, as id and reason; they are never shown or
    /// answered.</summary>
    public IReadOnlyCollection<string> Dropped => _inbox.Dropped;

    /// <summary>The newest that were not genuine at a first look, also those that were at the second.</summary>
    public IReadOnlyCollection<string> Doubted => _inbox.Doubted;

    /// <summary>What happens, in order. Reading it is optional: of what waits beyond 4,096, it says only that it is
    /// left out.</summary>
    public ChannelReader<ClientEvent> Events => _sink.Events;

    /// <summary>Messages on this machine; works offline.</summary>
    public History History { get; }

    /// <summary>Who is online, and where mailboxes lie.</summary>
    public Lookup Lookup { get; }

    /// <summary>Other people's keys.</summary>
    public People People { get; }

    /// <summary>Whose mail this user refuses.</summary>
    public Circle Circle { get; }

    /// <summary>The node that serves us now; null while there is none.</summary>
    public string? Node => _keeper.Node;

    /// <summary>Whether this process holds the profile's session (or may take it); false while another one
    /// does.</summary>
    public bool TryHoldSession() => _lease.TryTake();

    /// <summary>Starts connecting; returns at once.</summary>
    public void Start()
    {
        _me.RequireDevice();
        var keeper = Task.Run(() => _keeper.RunAsync(_stopping.Token));
        _running = Task.WhenAll(
            keeper, Task.Run(() => WatchStoreAsync(_stopping.Token)),
            Task.Run(() => _gaps.RunAsync(() => _lease.IsHeld, Note, _stopping.Token)));
        _ = keeper.ContinueWith(
            task =>
            {
                _lease.Dispose();
                _sink.Tell(new ClientEvent.Ended(Bug(task.Exception!.GetBaseException())));
            },
            CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    /// <summary>Stores a message to be sent; it goes out as soon as there is a session.</summary>
    /// <returns>Its id, at once; ask the history for what becomes of it.</returns>
    /// <exception cref="ChordChatException">Too large, to oneself, or not a name; nothing was stored.</exception>
    public string Send(string to, string text)
    {
        CheckRecipient(to);
        var bytes = MessageLimits.Encode(text);
        var id = _beside.Here(() => _outbox.Add(to, bytes));
        _changed.Raise();
        return id;
    }

    /// <exception cref="ChordChatException">Nobody can have this name, or it is one's own.</exception>
    public void CheckRecipient(string to)
    {
        if (!UserName.IsValid(to))
            throw Failures.BadName(to);
        if (to == _me.User)
            throw new ChordChatException(
                "to_yourself", "that is your own name", "name somebody else");
    }

    /// <summary>How many of our messages no majority is known to keep yet.</summary>
    public int UnsentTexts => _outbox.Texts;

    /// <summary>Marks messages as read by a person, and sends their read receipts.</summary>
    public void MarkRead(IEnumerable<string> ids)
    {
        History.MarkRead(ids);
        _changed.Raise();
    }

    /// <summary>Sends the receipts that are due and waits until nodes keep everything that was to be sent.</summary>
    /// <returns>Whether nothing is left.</returns>
    public async Task<bool> FlushAsync(TimeSpan timeout, CancellationToken cancellation = default)
    {
        _receipts.PutDue(flush: true);
        _changed.Raise();
        var until = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        while (true)
        {
            var next = _changed.Next;
            if (_outbox.IsEmpty)
                return true;
            var left = until - Environment.TickCount64;
            if (left <= 0)
                return false;
            await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(Math.Min(left, 100)), cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Sends again what a replaced device left behind: <see cref="Messages.History.Unsent"/>.</summary>
    public void SendAgain(IEnumerable<string> ids)
    {
        _outbox.SendAgain(ids);
        _changed.Raise();
    }

    /// <summary>Logs in as a new device in place of one whose numbers a copy of this profile uses too. What waits in
    /// the outbox goes out from there.</summary>
    /// <exception cref="ChordChatException"><c>wrong_password</c>, <c>profile_in_use</c>, <c>taken_over</c>, and what a
    /// login says. What it leaves half done is finished when nodes show the new keys, or the next time.</exception>
    public async Task BecomeNewDeviceAsync(string password, CancellationToken cancellation = default)
    {
        if (!_lease.TryTake())
            throw new ChordChatException(
                "profile_in_use", "another chordchat has this profile open",
                "nothing to do here: that one turns the profile into a new device");
        try
        {
            _me.Profile.Unlock(password).Dispose(); // No node need hear of a wrong one.
            using var held = await _keeper.HoldAsync(cancellation);
            using var accounts = new Accounts.Accounts(_me.Profile, _search);
            (await accounts.RenewAsync(_me.User, password, cancellation)).Dispose();
        }
        catch (Exception cause) when (cause is not (ChordChatException or OperationCanceledException))
        {
            throw Bug(cause); // Who waits for this says what failed, and goes on as the old device.
        }

        _changed.Raise();
    }

    /// <summary>Nobody makes this copied profile a new device now. If its copy has the session, this client ends.
    /// </summary>
    public void StayOldDevice()
    {
        _keeper.StayOldDevice();
        _changed.Raise();
    }

    /// <summary>Forgets this device's keys; the history stays and opens with the password.</summary>
    /// <returns>How many messages are left unsent; null if somebody has just logged in on this profile anew: that
    /// device's keys stay.</returns>
    public int? ForgetDevice() => _me.ForgetDevice(_me.OwnLog);

    public async ValueTask DisposeAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(GoodbyeTimeout);
            await _keeper.SayGoodbyeAsync(patience.Token);
            // The node answers with the end of the session, which ends the loop.
            await _running.WaitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception cause) when (cause is RpcException or OperationCanceledException or ObjectDisposedException)
        {
            // The session is gone already, or the node is: its lease ends it.
        }

        await _stopping.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _keeper.Dispose();
        _lease.Dispose();
        _links.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Another process of this profile has no other way to say that it stored something.</summary>
    private async Task WatchStoreAsync(CancellationToken stopping)
    {
        var isDue = false; // What was seen to change is told, also when the first try cannot read it.
        for (var pause = StorePoll; ;)
        {
            await Task.Delay(pause, stopping);
            try
            {
                pause = StorePoll;
                isDue |= _me.Store.ChangedElsewhere();
                if (!isDue)
                    continue;
                foreach (var message in _beside.Take())
                    _sink.Tell(new ClientEvent.SentBeside(message));
                isDue = false;
                _changed.Raise();
            }
            catch (Exception cause)
            {
                Note(cause);
                pause = StorePollAfterFailure;
            }
        }
    }

    /// <summary>A loop beside the session goes on whatever happens to it; the user hears once what it was.</summary>
    private void Note(Exception cause) => _reports.Add(cause as ChordChatException ?? new ChordChatException(
        "profile_not_writable", $"the profile cannot be read or written now: {Failures.InWords(cause)}",
        "this is tried again every second; free disk space, or close what else uses the profile", cause));

    private static ChordChatException Bug(Exception cause) => cause as ChordChatException ?? new ChordChatException(
        "bug", $"the client failed: {cause.GetType().Name}: {cause.Message}", "start it again and report this", cause);
}
