using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Messages;
using ChordChat.Sdk.Accounts;
using ChordChat.Tests.Unit.Crypto;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Xunit;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>What all fake nodes of one cluster share: accounts, mailboxes and sessions, in memory.</summary>
/// <remarks>Keeps the contract of protos/chordchat/v1/chat.proto as a client sees it, and verifies what a node
/// verifies; it does not replicate anything.</remarks>
internal sealed class FakeCluster : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <param name="oldId">Of a cluster that an older program made: it does not follow from the authority's key, and
    /// the authority's certificate names it.</param>
    public FakeCluster(ClusterId? oldId = null)
    {
        var request = new CertificateRequest("CN=fake cluster", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        if (oldId is { } id)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddUri(new CertificateName(id.ToString(), CertificateName.Authority).ToUri());
            request.CertificateExtensions.Add(names.Build());
        }

        ClaimedId = oldId;
        Authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-20), DateTimeOffset.UtcNow.AddDays(30));
    }

    public X509Certificate2 Authority { get; }

    /// <summary>Keys for its users.</summary>
    public ReadyKeys Keys { get; } = new();

    /// <summary>The same for their clients, with little stretching; less than that is possible.</summary>
    public KeySource KeySource => new(
        Keys.Identity, Keys.Device,
        () => Crypto.Passwords.KdfParameters.New() with
        {
            Iterations = Crypto.Passwords.KdfParameters.IterationsMin + 1,
        });

    /// <summary>Days from now between which the nodes' certificates are valid.</summary>
    public (int From, int Until) Valid { get; init; } = (-1, 20);

    public ClusterId Id => ClaimedId ?? ClusterId.OfAuthority(Authority.PublicKey.ExportSubjectPublicKeyInfo());

    /// <summary>What its nodes say instead of the id that follows from the authority's key.</summary>
    public ClusterId? ClaimedId { get; set; }

    /// <summary>How often a lying node wants passwords stretched.</summary>
    public uint? KdfIterations { get; set; }

    /// <summary>The users of all calls that carry something derived from a password.</summary>
    public ConcurrentQueue<string> SecretCalls { get; } = [];

    /// <summary>What its nodes want to see before they say anything of people; the same for all users.</summary>
    public ByteString Pass { get; set; } = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(40));

    /// <summary>Who asked for a pass and no session.</summary>
    public ConcurrentQueue<string> PassCalls { get; } = [];

    /// <summary>Whose sessions began.</summary>
    public ConcurrentQueue<string> SessionCalls { get; } = [];

    /// <summary>By what those sessions began.</summary>
    public ConcurrentQueue<(string User, NewerSession Hello)> Hellos { get; } = [];

    /// <summary>What nodes say of names that nobody has.</summary>
    public static Crypto.Passwords.KdfParameters Kdf { get; } = Crypto.Passwords.KdfParameters.New();

    public ConcurrentDictionary<string, FakeAccount> Accounts { get; } = new();

    public ConcurrentDictionary<string, FakeSession> Sessions { get; } = new();

    public ConcurrentDictionary<string, FakeNode> Nodes { get; } = new();

    /// <summary>Whether a majority of each circle's copies answers.</summary>
    public volatile bool KnowsCircles = true;

    /// <summary>Answers to sends while this is false are QUEUED, and nothing is pushed.</summary>
    public bool HasQuorum { get; set; } = true;

    /// <summary>While this is false no reading of a mailbox comes to its end.</summary>
    public bool EndsReadings { get; set; } = true;

    /// <summary>What a registration fails with, before or after it took effect; null for the answer as it should be.
    /// </summary>
    public (RpcException Fault, bool TakesEffect)? RegistrationFault { get; set; }

    /// <summary>What handing in the keys of a new device fails with at a node, before or after it took effect; null for
    /// the answer as it should be.</summary>
    public Func<FakeNode, (RpcException Fault, bool TakesEffect)?> PublishFault { get; set; } = _ => null;

    /// <summary>What a lying node answers to a registration; null for what the others answer.</summary>
    public Func<FakeNode, RpcException?> RefuseRegistration { get; set; } = _ => null;

    /// <summary>The only code that registers; null where none is needed.</summary>
    public string? Invitation { get; set; }

    /// <summary>Every key-log entry of a new device that any node has seen.</summary>
    public ConcurrentQueue<KeyLogEntry> EntriesSeen { get; } = [];

    /// <summary>The keyrings of these entries.</summary>
    public ConcurrentQueue<byte[]> KeyringsSeen { get; } = [];

    /// <summary>At which nodes somebody gave a wrong secret.</summary>
    public ConcurrentQueue<FakeNode> WrongSecrets { get; } = [];

    /// <summary>Changes how a node wants passwords stretched.</summary>
    public Action<FakeNode, KdfParameters> GiveKdf { get; set; } = (_, _) => { };

    /// <summary>Which nodes never answer when asked for somebody's key log.</summary>
    public Func<FakeNode, string, bool> HangsKeyLog { get; set; } = (_, _) => false;

    /// <summary>How long every node takes to read somebody's key log.</summary>
    public Func<string, TimeSpan> KeyLogTakes { get; set; } = _ => TimeSpan.Zero;

    /// <summary>Changes what a node says about itself and its cluster.</summary>
    public Action<ClusterInfo> Introduce { get; set; } = _ => { };

    /// <summary>Changes a node's challenge.</summary>
    public Action<FakeNode, Challenge> Challenge { get; set; } = (_, _) => { };

    /// <summary>Changes what a node answers to a login.</summary>
    public Action<FakeNode, LogInReply> AnswerLogIn { get; set; } = (_, _) => { };

    /// <summary>What a node says in place of a welcome; null for a welcome.</summary>
    public Func<FakeNode, SessionEnded?> Refuse { get; set; } = _ => null;

    /// <summary>Changes what is pushed to a recipient, as a faulty node might.</summary>
    public Func<IReadOnlyList<Push>, IReadOnlyList<Push>> Tamper { get; set; } = pushes => pushes;

    /// <summary>Why mail to somebody is refused; null for those to whom it is not.</summary>
    public Func<string, string?> RefuseMailTo { get; set; } = _ => null;

    /// <summary>Whose accounts no node can read now: a question for them stays without an answer.</summary>
    public ConcurrentDictionary<string, bool> Silent { get; } = [];

    /// <summary>Whether a node does nothing about what clients send in sessions, while its connections live.</summary>
    public Func<FakeNode, bool> IsStuck { get; set; } = _ => false;

    /// <summary>While this is false no majority shows a key log.</summary>
    public bool ReadsKeyLogs { get; set; } = true;

    /// <summary>How often somebody's key log was asked for.</summary>
    public ConcurrentDictionary<string, int> KeyLogCalls { get; } = [];

    /// <summary>What a lying node shows in place of somebody's key log; null for the truth.</summary>
    public Func<FakeNode, string, KeyLog?> ShowKeys { get; set; } = (_, _) => null;

    public async Task<FakeNode> AddNodeAsync(string name)
    {
        var node = await FakeNode.StartAsync(this, name);
        Nodes[name] = node;
        return node;
    }

    public X509Certificate2 Issue(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using var issued = request.Create(
            Authority, DateTimeOffset.UtcNow.AddDays(Valid.From), DateTimeOffset.UtcNow.AddDays(Valid.Until),
            RandomNumberGenerator.GetBytes(8));
        using var paired = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(paired.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>How old a message was when it came last, as its client said.</summary>
    public ConcurrentDictionary<string, ulong> AgesMs { get; } = [];

    public SendOutcome Take(string from, Send send)
    {
        AgesMs[Convert.ToHexStringLower(send.Id.Span)] = send.AgeMs;
        var outcome = new SendOutcome { Id = send.Id, Of = 3 };
        if (!Accounts.TryGetValue(send.To, out var account))
        {
            outcome.State = SendOutcome.Types.State.Refused;
            outcome.Code = "unknown_user";
            outcome.Text = $"there is no user {send.To}";
            return outcome;
        }

        if (RefuseMailTo(send.To) is { } reason)
        {
            outcome.State = SendOutcome.Types.State.Refused;
            (outcome.Code, outcome.Text) = ("refused", reason);
            return outcome;
        }

        Assert.True(EnvelopeHeader.TryParse(send.Envelope.Span)!.IsBetween(Id, from, send.To));
        if (!HasQuorum)
        {
            outcome.State = SendOutcome.Types.State.Queued;
            outcome.Copies.Add("n1");
            return outcome;
        }

        var push = account.Add(new Push { Id = send.Id, Envelope = send.Envelope });
        outcome.State = SendOutcome.Types.State.Kept;
        outcome.Copies.Add(["n1", "n2", "n3"]);
        if (push is not null && Sessions.TryGetValue(send.To, out var session))
            foreach (var tampered in Tamper([push]))
                session.Push(tampered);

        return outcome;
    }

    public void Dispose()
    {
        Authority.Dispose();
        _key.Dispose();
    }
}

internal sealed class FakeAccount(string secret, byte[] operation)
{
    private readonly Lock _turn = new();
    private readonly List<Push> _mailbox = [];
    private readonly HashSet<ByteString> _tombstones = [];
    private readonly HashSet<string> _blocked = [];
    private readonly HashSet<string> _writtenTo = [];
    private bool _isCircleLost;

    public string Secret => secret;

    public byte[] Operation => operation;

    public KeyLog? Log { get; set; }

    /// <summary>One for each entry of the key log.</summary>
    public List<byte[]> Keyrings { get; } = [];

    /// <summary>What each login gives; a node that did not give it takes it as well.</summary>
    public byte[] Ticket { get; } = RandomNumberGenerator.GetBytes(32);

    /// <summary>Changes whom this user has blocked and written to, and says who they are.</summary>
    public Circle Change(CircleChange change)
    {
        lock (_turn)
        {
            if (_isCircleLost && change.CalculateSize() == 0)
                return new Circle { Code = "damaged" }; // A question changes nothing.
            _blocked.UnionWith(change.Block);
            _blocked.ExceptWith(change.Unblock);
            _writtenTo.UnionWith(change.WroteTo);
            if (!_isCircleLost)
                return new Circle { Blocked = { _blocked.Order() }, WrittenTo = { _writtenTo.Order() } };
            _isCircleLost = false;
            return new Circle { Code = "damaged" };
        }
    }

    /// <summary>What nodes keep of whom this user has blocked and written to cannot be read any more.</summary>
    public void LoseCircle()
    {
        lock (_turn)
        {
            _blocked.Clear();
            _writtenTo.Clear();
            _isCircleLost = true;
        }
    }

    public int MailboxCount
    {
        get
        {
            lock (_turn)
                return _mailbox.Count;
        }
    }

    /// <summary>Adds unless it is there or was there: sending twice is sending once.</summary>
    public Push? Add(Push push)
    {
        lock (_turn)
        {
            if (_tombstones.Contains(push.Id) || _mailbox.Any(kept => kept.Id == push.Id))
                return null;
            _mailbox.Add(push);
            return push;
        }
    }

    public void Acknowledge(ByteString id)
    {
        lock (_turn)
        {
            _mailbox.RemoveAll(kept => kept.Id == id);
            _tombstones.Add(id);
        }
    }

    public List<Push> Mailbox()
    {
        lock (_turn)
            return [.. _mailbox];
    }
}
