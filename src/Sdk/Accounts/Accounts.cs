using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keyrings;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using KdfParameters = ChordChat.Crypto.Passwords.KdfParameters;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Sdk.Accounts;

/// <summary>Makes accounts and logs devices in. docs/e2e.md, Passwords and Session.</summary>
public sealed class Accounts : IDisposable
{
    /// <summary>Nodes beside the first that are asked whose a name is.</summary>
    private const int OthersMax = 2;

    private readonly Profile _profile;
    private readonly NodeLinks _links;

    public Accounts(Profile profile, NodeSearch search)
    {
        _profile = profile;
        // A cluster that was started on this machine says itself whom to trust; then nothing is left to ask.
        if (search.ClusterFile is { } path && File.Exists(path) && ClusterFile.Read(path).Authority is { } authority)
        {
            profile.Trust.Vouch(authority);
            if (search.Explicit.Count == 0)
                profile.Trust.Expect(authority);
        }

        _links = new NodeLinks(
            new NodePool(search, profile.Trust, profile.KnownNodes), new UserPass(profile, () => null));
    }

    internal KeySource Keys { get; init; } = KeySource.New;

    /// <summary>The operator's code for whoever registers, where one is needed; null for none.</summary>
    public string? Invitation { get; set; }

    /// <exception cref="ChordChatException"><c>bad_name</c>: nobody can have this name.</exception>
    public static void CheckName(string user)
    {
        if (!UserName.IsValid(user))
            throw Failures.BadName(user);
    }

    /// <param name="demo">Whether the cluster says that its passwords protect nothing.</param>
    /// <exception cref="ChordChatException"><c>weak_password</c> or <c>bad_password</c>.</exception>
    public static void CheckPassword(string password, string user, bool demo)
    {
        if (PasswordFailures.Of(password, user, demo) is { } problem)
            throw problem;
    }

    /// <summary>A person has compared the fingerprint of the cluster that was found, and agrees.</summary>
    public void Agree() => _profile.Trust.Agree();

    /// <summary>Finds a node; nothing secret is sent.</summary>
    public async Task<ClusterGreeting> GreetAsync(CancellationToken cancellation = default)
    {
        var link = await _links.CurrentAsync(cancellation);
        return new ClusterGreeting(
            link.Cluster.NodeName, link.Address, _profile.Trust.Fingerprint,
            FirstSight: !_profile.Trust.IsVouched, link.Cluster.Demo);
    }

    /// <summary>Says early what registering would say after a second of making keys; registering decides.</summary>
    /// <exception cref="ChordChatException"><c>taken_name</c>.</exception>
    public async Task CheckNameIsFreeAsync(string user, CancellationToken cancellation = default)
    {
        if (_profile.Unfinished?.User == user)
            return; // It may be taken by this very registration.
        try
        {
            var reply = await _links.CallAsync(
                (chat, options) => chat.CheckNameAsync(new CheckNameRequest { User = user }, options), cancellation);
            if (reply.State != CheckNameReply.Types.State.Taken)
                return;
        }
        catch (RpcException)
        {
            return; // Not now, or asked too often: registering tells.
        }

        throw TakenName(null);
    }

    /// <summary>Creates the account and makes this machine its first device. A registration that was begun here before
    /// and whose outcome is not known is finished instead.</summary>
    /// <exception cref="ChordChatException"><c>bad_name</c>, <c>taken_name</c>, <c>weak_password</c>, ...;
    /// <c>invitation_needed</c>, <c>invitation_wrong</c>, <c>invitation_expired</c>;
    /// <c>undecided</c> when nobody can tell yet whether the account was created.</exception>
    public async Task<UnlockedProfile> RegisterAsync(
        string user, string password, CancellationToken cancellation = default)
    {
        CheckProfileIsFree(user);
        var (link, cluster) = await TrustedAsync(cancellation);
        if (Unfinished(user, cluster) is { } unfinished)
            return await FinishAsync(unfinished, password, cancellation) ?? throw TakenName(null);
        CheckPassword(password, user, link.Cluster.Demo);
        await CheckNameIsFreeAsync(user, cancellation);
        var kdf = Keys.Kdf();
        var makeIdentity = Task.Run(Keys.Identity, cancellation);
        var makeDevice = Task.Run(Keys.Device, cancellation);
        using var keys = Derive(cluster, user, password, kdf);
        using var identity = await makeIdentity;
        var device = await makeDevice;
        // Not disposed of: the ring shares the device's keys, which live on in the profile.
        var ring = Keyring.Create(identity, device);
        var blob = KeyringBlob.Seal(cluster, user, ring, keys, kdf);
        var entry = KeyLogEntryBuilder.Create(cluster, user, Now(), identity, device, KeyringBlob.HashOf(blob), kdf);
        var request = new RegisterRequest
        {
            User = user,
            Operation = ByteString.CopyFrom(Guid.NewGuid().ToByteArray()),
            Secret = keys.AuthSecret,
            KeyLogEntry = ByteString.CopyFrom(entry.Bytes.Span),
            Keyring = ByteString.CopyFrom(blob),
            Invitation = Invitation ?? "",
        };
        var log = KeyLog.Verify(cluster, user, [entry.Bytes.ToArray()])!;
        var made = new Device(log, device.Signing, [device.Encryption]);
        _profile.Begin(UnfinishedRegistration.Of(made, kdf, request, keys));
        return await HandInAsync(request, made, kdf, keys, isFirst: true, cancellation) ?? throw TakenName(null);
    }

    /// <summary>Logs in: with the device keys that are here, or else as a new device, also when those here are a
    /// copy. A login that was begun here and whose outcome is not known is finished.</summary>
    /// <exception cref="ChordChatException"><c>wrong_password</c>, also for a name that nobody has;
    /// <c>throttled</c>, ...</exception>
    public async Task<UnlockedProfile> LogInAsync(
        string user, string password, CancellationToken cancellation = default) =>
        _profile.User == user && _profile is { HasDevice: true, IsCopied: false }
            ? _profile.Unlock(password)
            : await AddDeviceAsync(user, password, isRenewal: false, cancellation);

    /// <summary>Hands in once more, at several nodes, the entry that makes this profile its user's device: a node may
    /// have said that it took it, and have kept it back. Nothing happens where a node has it.</summary>
    /// <exception cref="ChordChatException">As for a login.</exception>
    public async Task HandInAgainAsync(string user, string password, CancellationToken cancellation = default)
    {
        var (_, cluster) = await TrustedAsync(cancellation);
        var questions = new KdfQuestions(_profile, _links, user);
        var kdf = await questions.FirstAsync(cancellation);
        using var keys = Derive(cluster, user, password, kdf);
        await new NewDevice(
                _profile, _links, cluster, user, kdf, keys, Keys, questions.PassedOver, isRenewal: false)
            .HandInAgainAsync(cancellation);
    }

    /// <summary>Makes a copied profile a new device, unless another one of its user has taken over.</summary>
    /// <exception cref="ChordChatException">As for a login; <c>taken_over</c>.</exception>
    internal async Task<UnlockedProfile> RenewAsync(string user, string password, CancellationToken cancellation) =>
        _profile.IsCopied
            ? await AddDeviceAsync(user, password, isRenewal: true, cancellation)
            : _profile.Unlock(password);

    private async Task<UnlockedProfile> AddDeviceAsync(
        string user, string password, bool isRenewal, CancellationToken cancellation)
    {
        CheckProfileIsFree(user);
        var (_, cluster) = await TrustedAsync(cancellation);
        if (Unfinished(user, cluster) is { } unfinished
            && await FinishAsync(unfinished, password, cancellation) is { } finished)
            return finished;
        var questions = new KdfQuestions(_profile, _links, user);
        var kdf = await questions.FirstAsync(cancellation);
        try
        {
            return await LogInWithAsync(kdf);
        }
        catch (ChordChatException cause) when (cause.Code == "wrong_password")
        {
            if (await questions.OtherAsync(kdf, cancellation) is not { } other)
                throw;
            try
            {
                return await LogInWithAsync(other);
            }
            catch (ChordChatException again) when (again.Code == "wrong_password")
            {
                // Both say so.
            }

            throw;
        }

        async Task<UnlockedProfile> LogInWithAsync(KdfParameters parameters)
        {
            using var keys = Derive(cluster, user, password, parameters);
            var unlocked = await new NewDevice(
                    _profile, _links, cluster, user, parameters, keys, Keys, questions.PassedOver, isRenewal)
                .LogInAsync(cancellation);
            _profile.RememberNodes(_links.Pool.Known);
            return unlocked;
        }
    }

    public void Dispose() => _links.Dispose();

    /// <summary>The registration that was begun in this profile, if it is this one.</summary>
    private UnfinishedRegistration? Unfinished(string user, ClusterId cluster) => _profile.Unfinished switch
    {
        null => null,
        { } begun when begun.User == user && begun.Cluster == cluster => begun,
        { } begun => throw new ChordChatException(
            "other_profile",
            begun.User == user
                ? $"{_profile.Folder} has an unfinished registration of {user} in another cluster"
                : $"{_profile.Folder} has an unfinished registration of {begun.User}",
            $"finish it with '{ProfileCommand.Of(_profile, $"register {begun.User}")}', or name another folder with "
                + "--profile"),
    };

    /// <summary>Hands a registration in once more, with the keys and the operation of the first time.</summary>
    /// <returns>Null when somebody else has the name.</returns>
    private async Task<UnlockedProfile?> FinishAsync(
        UnfinishedRegistration begun, string password, CancellationToken cancellation)
    {
        using var keys = Derive(begun.Cluster, begun.User, password, begun.Kdf);
        if (begun.Open(keys) is not var (request, device))
            throw new ChordChatException(
                "wrong_password", $"the unfinished registration of {begun.User} has another password",
                "type the password of the first try, or name another folder with --profile");
        if (Invitation is { Length: > 0 } typed)
            request.Invitation = typed; // The first one may have been no good.
        return await HandInAsync(request, device, begun.Kdf, keys, isFirst: false, cancellation);
    }

    /// <summary>Hands a registration in until it is known what became of it, or no node can tell.</summary>
    /// <param name="isFirst">Nobody has handed in this operation before.</param>
    /// <returns>Null when somebody else has the name.</returns>
    private async Task<UnlockedProfile?> HandInAsync(
        RegisterRequest request, Device device, KdfParameters kdf, PasswordKeys keys, bool isFirst,
        CancellationToken cancellation)
    {
        var tries = new List<Task>();
        NodeLink? at = null;
        try
        {
            await _links.AskAsync(
                (link, options) =>
                {
                    at = link;
                    var call = link.Chat.RegisterAsync(request, options);
                    tries.Add(call.ResponseAsync);
                    return call;
                },
                cancellation);
            return Save(device, kdf, keys);
        }
        catch (RpcException cause) when (cause.StatusCode == StatusCode.AlreadyExists)
        {
            var isFinished = isFirst && tries.SkipLast(1).All(Failures.ChangedNothing)
                ? false
                : await IsFinishedElsewhereAsync(request, at!, cancellation);
            if (isFinished == true)
                return Save(device, kdf, keys);
            device.Dispose();
            if (isFinished is null)
                throw Failures.Undecided(device.User, cause);
            _profile.ForgetUnfinished();
            return null;
        }
        catch (Exception cause) when (cause is RpcException or ChordChatException)
        {
            device.Dispose();
            // Each try must have changed nothing: one that nobody knows about may still take effect.
            if (!isFirst || !tries.TrueForAll(Failures.ChangedNothing))
                throw Failures.Undecided(device.User, cause);
            _profile.ForgetUnfinished();
            throw cause is RpcException answer ? Failures.Of(answer, "the account was not created") : cause;
        }
    }

    /// <summary>Hands a registration in at others, after one node has said that somebody else has the name: an earlier
    /// try may have taken effect, and nobody else has its keys.</summary>
    /// <remarks>docs/protocol.md, Without a quorum.</remarks>
    /// <returns>False if another node says the same, or none can be reached; null if nobody can tell.</returns>
    private async Task<bool?> IsFinishedElsewhereAsync(
        RegisterRequest request, NodeLink by, CancellationToken cancellation)
    {
        bool? answer = false; // If nobody else is there.
        await foreach (var other in _links.OthersAsync([by.Key], OthersMax, cancellation))
            try
            {
                answer = null; // Until one says more.
                await other.Chat.RegisterAsync(request, NodeLinks.Options(cancellation));
                return true;
            }
            catch (RpcException cause) when (cause.StatusCode == StatusCode.AlreadyExists)
            {
                return false;
            }
            catch (RpcException)
            {
                cancellation.ThrowIfCancellationRequested();
            }

        return answer;
    }

    /// <summary>A node of a cluster that somebody vouched for: docs/e2e.md, First contact.</summary>
    private async Task<(NodeLink Link, ClusterId Cluster)> TrustedAsync(CancellationToken cancellation)
    {
        var link = await _links.CurrentAsync(cancellation);
        var cluster = ClusterId.FromBytes(link.Cluster.Cluster.Span);
        if (!_profile.Trust.IsVouched)
            throw new ChordChatException(
                "unknown_cluster",
                $"the cluster at {link.Address} is not known on this machine; its fingerprint is "
                    + _profile.Trust.Fingerprint,
                "compare it with somebody who uses this cluster, then name it with --trust FINGERPRINT; nothing was "
                    + "sent");
        return _profile.Cluster is { } known && known != cluster
            ? throw new ChordChatException(
                "foreign_cluster", $"{link.Address} belongs to another cluster than this profile",
                "use another --profile for the other cluster, or tell the operator")
            : (link, cluster);
    }

    private UnlockedProfile Save(Device device, KdfParameters kdf, PasswordKeys keys)
    {
        var unlocked = _profile.Save(device, kdf, keys, _profile.Trust);
        _profile.RememberNodes(_links.Pool.Known);
        return unlocked;
    }

    private void CheckProfileIsFree(string user)
    {
        CheckName(user);
        if ((_profile.User ?? _profile.Signed?.User) is { } owner && owner != user)
            throw new ChordChatException(
                "other_profile", $"{_profile.Folder} is the profile of {owner}", "name another folder with --profile");
    }

    private static PasswordKeys Derive(ClusterId cluster, string user, string password, KdfParameters kdf) =>
        PasswordKeys.Derive(cluster, user, password, kdf) ?? throw (kdf.AreAcceptable
            ? Failures.WrongPassword(user)
            : KdfQuestions.BadParameters());

    private static ChordChatException TakenName(Exception? cause) => new(
        "taken_name", "this name is taken", "choose another one, or log in if it is yours", cause);

    private static ulong Now() => (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
}
