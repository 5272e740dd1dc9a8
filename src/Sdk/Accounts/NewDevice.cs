using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keyrings;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Data.Sqlite;
using KdfParameters = ChordChat.Crypto.Passwords.KdfParameters;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Sdk.Accounts;

/// <summary>Makes this profile its user's new device: signs one entry for one place of the key log, and hands in those
/// very bytes until a node shows what stands there.</summary>
/// <remarks>docs/e2e.md, New device.</remarks>
/// <param name="passedOver">Ids, in hex, of nodes that are not asked.</param>
/// <param name="isRenewal">Nobody wants to log in: this profile's device makes place for another one of the same
/// profile, unless another one has taken over already.</param>
internal sealed class NewDevice(
    Profile profile, NodeLinks links, ClusterId cluster, string user, KdfParameters kdf, PasswordKeys keys,
    KeySource source, IReadOnlySet<string> passedOver, bool isRenewal)
{
    private const int NodesMax = 3;

    /// <summary>Logins at one node: to finish what was begun, to sign, and twice for others who came first.</summary>
    private const int StepsMax = 4;

    private readonly LoginQuestions _login = new(links, cluster, user, kdf, keys);
    private readonly HashSet<string> _asked = [.. passedOver];
    private (LocalKey Key, byte[] Sealed)? _own;
    private KeyLog? _known;
    private SignedEntry.Record? _record;
    private SignedEntry? _signed;

    /// <exception cref="ChordChatException"><c>bad_keyring</c> when no node shows the log that is known here,
    /// <c>taken_over</c> for a renewal that comes too late, and what a login says. What was signed stays in the
    /// profile.</exception>
    public async Task<UnlockedProfile> LogInAsync(CancellationToken cancellation)
    {
        UnlockedProfile? unlocked = null;
        ChordChatException? trouble = null;
        await AskSeveralAsync(async (other, at) =>
        {
            try
            {
                unlocked = await LogInAtAsync(other, link => at.Link = link, cancellation);
                return true;
            }
            catch (UntrueException cause)
            {
                trouble ??= Untrue($"{at.Name} at {at.Link!.Address} {cause.Message}");
            }
            catch (ChordChatException cause) when (trouble is not null && cause.Code != "taken_over")
            {
                // The next one may help.
            }
            catch (Exception cause) when (
                cause is not (ChordChatException or OperationCanceledException or SqliteException))
            {
                // Nobody foresaw it. It was this node's answer that brought it out, so another one may help.
                trouble ??= Failures.Unexpected(at.Name, cause);
            }

            return false;
        }, cancellation);
        return unlocked ?? throw trouble!;
    }

    /// <summary>Hands in the entry that was signed last at each of several nodes that does not show it.</summary>
    public Task HandInAgainAsync(CancellationToken cancellation) => AskSeveralAsync(async (other, at) =>
    {
        try
        {
            var granted = await _login.AskAsync(other, link => at.Link = link, cancellation);
            using var identity = granted.Ring.Identity;
            if (_own is null)
                Begin();
            if (_signed is not null && granted.Log.Head.Seq < _signed.Entry.Seq)
                await PublishAsync(other, granted, cancellation);
        }
        catch (Exception cause) when (cause is ChordChatException { Code: not "wrong_password" } or UntrueException)
        {
            // The next one may take it.
        }

        return false;
    }, cancellation);

    /// <summary>Which node has answered.</summary>
    private sealed class Asked
    {
        public NodeLink? Link { get; set; }

        public string Name => Link is null ? "the login" : Link.Cluster.NodeName;
    }

    /// <summary>Asks the node in use and then others, each once.</summary>
    /// <param name="ask">Asks another one, or the node in use (null); says whether that is enough.</param>
    private async Task AskSeveralAsync(Func<NodeLink?, Asked, Task<bool>> ask, CancellationToken cancellation)
    {
        for (var count = 0; count < NodesMax; count++)
        {
            using var other = count == 0
                ? null
                : await links.OpenOtherAsync(_asked, cancellation, isEverywhere: true);
            if (other is null && count > 0)
                return;
            var at = new Asked();
            if (await ask(other, at))
                return;
            if (at.Link is { } link)
                _asked.Add(link.Key);
        }
    }

    private async Task<UnlockedProfile> LogInAtAsync(
        NodeLink? other, Action<NodeLink> answers, CancellationToken cancellation)
    {
        for (var step = 1; step <= StepsMax; step++)
        {
            var granted = await _login.AskAsync(other, answers, cancellation);
            using var identity = granted.Ring.Identity; // The device shares the other keys.
            if (_own is null)
                Begin();
            Compare(granted.Log);
            if (_signed is not null && granted.Log.Head.Seq < _signed.Entry.Seq)
            {
                if (await PublishAsync(other, granted, cancellation) && _signed.Device is not null)
                    return Adopt(granted);
                continue; // It shows now what stands there.
            }

            if (_signed is { Device: not null } && granted.Log.Head.Hash == _signed.Entry.Hash)
                return Adopt(granted);
            if (isRenewal && !IsOurs(granted.Log))
                throw TakenOver();
            await RequireNewestAsync(granted, cancellation);
            await SignAsync(granted, cancellation);
            if (await PublishAsync(other, granted, cancellation))
                return Adopt(granted);
        }

        throw new UntrueException($"shows a key log of {user} without the entry that it claims to have published");
    }

    /// <summary>What this profile knows; the password is right.</summary>
    private void Begin()
    {
        _own = profile.KeyFor(keys);
        _record = profile.Signed;
        _signed = _record?.Open(Key);
        _known = profile.OwnLog(cluster, user, Key);
    }

    private LocalKey Key => _own!.Value.Key;

    /// <summary>Compares a log that a node shows with the one that is known, and takes it.</summary>
    private void Compare(KeyLog shown)
    {
        if (_known is not null && shown.Find(_known.Head.Hash) is null)
            throw new UntrueException(
                _known.Find(shown.Head.Hash) is not null
                    ? $"shows an older key log of {user} than this profile knows"
                    : $"shows another key log of {user} than this profile knows");
        if (_known is null || shown.Head.Seq > _known.Head.Seq)
            _known = shown;
    }

    /// <summary>Whether the newest entry is that of the device in this profile.</summary>
    private bool IsOurs(KeyLog log)
    {
        if (profile.SealedDevice is not { } record)
            return false;
        using var device = Device.Parse(cluster, user, Key.OpenRecord("device", record));
        return device.Log.Head.Hash == log.Head.Hash;
    }

    /// <summary>Before anything is signed on top of a log, others are asked for a longer one.</summary>
    private async Task RequireNewestAsync(Granted granted, CancellationToken cancellation)
    {
        var longer = await new NewestLog(links, _login, user).FindLongerAsync(granted, _asked, cancellation);
        if (longer is null)
            return;
        Compare(longer);
        throw new UntrueException($"shows an older key log of {user} than others");
    }

    /// <summary>Signs the entry after this log, which is the only one that this profile signs for that place.</summary>
    private async Task SignAsync(Granted granted, CancellationToken cancellation)
    {
        var device = await Task.Run(source.Device, cancellation);
        var (log, ring) = (granted.Log, granted.Ring);
        var next = ring.WithDevice(log.Head.Epoch + 1, device);
        var blob = KeyringBlob.Seal(cluster, user, next, keys, kdf);
        var entry = KeyLogEntryBuilder.NewDevice(
            log.Head, Now(), ring.Identity, device, KeyringBlob.HashOf(blob), kdf);
        var made = new Device(
            log.Append(entry.Bytes.Span)!, device.Signing, [.. next.EncryptionKeys.Select(key => key.Key)]);
        _signed = new SignedEntry(made.Log, blob, made);
        _record = profile.Sign(_signed, log, kdf, Key, _own!.Value.Sealed);
    }

    /// <summary>Hands in the entry that was signed last.</summary>
    /// <returns>False when the node says that another one came first.</returns>
    private async Task<bool> PublishAsync(NodeLink? other, Granted granted, CancellationToken cancellation)
    {
        var request = new PublishKeysRequest
        {
            User = user,
            Ticket = granted.Ticket,
            KeyLogEntry = ByteString.CopyFrom(_signed!.Entry.Bytes.Span),
            Keyring = ByteString.CopyFrom(_signed.Keyring),
        };
        try
        {
            await _login.CallAsync(
                other, (link, options) => link.Chat.PublishKeysAsync(request, options), cancellation);
            return true;
        }
        catch (RpcException cause) when (cause.StatusCode == StatusCode.Aborted)
        {
            return false;
        }
        catch (RpcException cause)
        {
            throw Failures.OfLogin(cause);
        }
    }

    private UnlockedProfile Adopt(Granted granted)
    {
        var unlocked = profile.Adopt(_record!, _signed!, Key);
        links.Pass.Keep(granted.Pass);
        return unlocked;
    }

    private static ulong Now() => (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    private ChordChatException TakenOver() => new(
        "taken_over", $"{user} has logged in on another device since",
        $"this one is closed; to go on here, type '{ProfileCommand.Of(profile, $"login {user}")}'");

    private static ChordChatException Untrue(string what) => new(
        "bad_keyring", $"{what}, and no other node helps",
        "name another node with --node, and tell the operator");
}
