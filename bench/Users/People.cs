using System.Security.Cryptography;
using ChordChat.Bench.Nodes;
using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keyrings;
using ChordChat.Crypto.Passwords;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Net.Client;
using KdfParameters = ChordChat.Crypto.Passwords.KdfParameters;

namespace ChordChat.Bench.Users;

/// <summary>Registers the users of the load, through the same call as everybody.</summary>
/// <remarks>All have one password, which is stretched once: a node cannot tell.</remarks>
internal sealed class People
{
    private const int AtOnce = 8;
    private const string Password = "a load test";

    private readonly IReadOnlyList<SharedKeys> _keys;
    private readonly KdfParameters _kdf;
    private readonly PasswordKeys _password;

    private People(IReadOnlyList<SharedKeys> keys, ClusterId cluster)
    {
        (_keys, Cluster) = (keys, cluster);
        _kdf = KdfParameters.FromBytes(
            KdfParameters.IterationsMin, RandomNumberGenerator.GetBytes(KdfParameters.SaltBytes));
        _password = PasswordKeys.Derive(cluster, "everybody", Password, _kdf)!;
    }

    public ClusterId Cluster { get; }

    /// <summary>What every user shows instead of the password.</summary>
    public string Secret => _password.AuthSecret;

    public static async Task<People> CreateAsync(
        LocalNodes nodes, BenchOptions options, CancellationToken cancellation)
    {
        using var channel = LocalNodes.Connect(nodes.Cheap);
        var info = await new Chat.ChatClient(channel).GetClusterAsync(
            new GetClusterRequest(), cancellationToken: cancellation);
        return new People(KeyPool.Load(), ClusterId.FromBytes(info.Cluster.Span));
    }

    /// <summary>Makes users PREFIX0, PREFIX1, ... at one node.</summary>
    /// <param name="keys">Which of the shared keys the first one has. Two users who write to each other must not share
    /// them: their envelopes would have one wrapped key instead of two.</param>
    public async Task<Person[]> RegisterAsync(
        LocalNode node, string prefix, int count, CancellationToken cancellation, int keys = 0)
    {
        using var channel = LocalNodes.Connect(node);
        var people = new Person[count];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation };
        await Parallel.ForAsync(0, count, parallel, async (i, stopping) =>
            people[i] = await RegisterAsync(channel, $"{prefix}{i}", _keys[(keys + i) % _keys.Count], stopping));
        return people;
    }

    private async Task<Person> RegisterAsync(
        GrpcChannel channel, string name, SharedKeys keys, CancellationToken cancellation)
    {
        var ring = Keyring.Create(keys.Identity, keys.Device);
        var blob = KeyringBlob.Seal(Cluster, name, ring, _password, _kdf);
        var now = (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var entry = KeyLogEntryBuilder.Create(
            Cluster, name, now, keys.Identity, keys.Device, KeyringBlob.HashOf(blob), _kdf);
        await new Chat.ChatClient(channel).RegisterAsync(
            new RegisterRequest
            {
                User = name,
                Operation = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(16)),
                Secret = Secret,
                KeyLogEntry = ByteString.CopyFrom(entry.Bytes.Span),
                Keyring = ByteString.CopyFrom(blob),
            },
            cancellationToken: cancellation);
        return new Person(name, keys, entry.Hash);
    }
}
