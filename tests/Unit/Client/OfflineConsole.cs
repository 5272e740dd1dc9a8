using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Tests.Unit.Crypto;

namespace ChordChat.Tests.Unit.Client;

/// <summary>The console on Alice's profile, with no node.</summary>
internal sealed class OfflineConsole : IAsyncDisposable
{
    private readonly FilledProfile _filled;

    public OfflineConsole(params IEnumerable<string> texts)
    {
        _filled = new FilledProfile(texts);
        Profile = Profile.Open(_filled.Folder);
        Me = Profile.Unlock(FilledProfile.Password);
        Client = Offline(Me);
        Chat = new ConsoleChat(Client, View, Later.Add, passwordAtHand: null);
    }

    public Profile Profile { get; }

    public UnlockedProfile Me { get; }

    public ChatClient Client { get; }

    public ConsoleChat Chat { get; }

    public Lines View { get; } = new();

    /// <summary>What it prints once it is known.</summary>
    public List<Task<Action>> Later { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        Me.Dispose();
        Profile.Dispose();
        _filled.Dispose();
    }

    /// <summary>As if somebody's keys had been looked up before.</summary>
    public static void Meet(UnlockedProfile me, string user)
    {
        var kdf = KdfParameters.FromBytes(KdfParameters.IterationsMin, new byte[16]);
        var ready = new ReadyKeys();
        using var identity = ready.Identity();
        using var device = ready.Device();
        var entry = KeyLogEntryBuilder.Create(me.Cluster, user, 1, identity, device, default, kdf);
        var log = KeyLog.Verify(me.Cluster, user, [entry.Bytes.ToArray()])!;
        var pin = me.Key.Seal($"pin/{user}", PinRecord.Write(log, Pin.FirstSight(log)));
        me.Profile.Store.Write(db => PinTable.TryPut(db, user, over: null, pin, isFirst: true));
    }

    public static ChatClient Offline(UnlockedProfile me) =>
        new(me, new NodeSearch { Explicit = ["127.0.0.1:1"], AskNetwork = false });
}

/// <summary>What a console has printed, a line each.</summary>
internal sealed class Lines : IConsoleView
{
    public List<string> Printed { get; } = [];

    public bool IsTypedAt => false;

    public int Print(StyledLine line, Mark? mark = null)
    {
        Printed.Add(line.ToString());
        return Printed.Count;
    }

    public bool AskSecret(string prompt, Action<string> answer) => false;

    public bool Rewrite(int handle, string text, Style style) => false;

    public string Prompt { get; private set; } = "";

    public void SetPrompt(StyledLine prompt) => Prompt = prompt.ToString();
}
