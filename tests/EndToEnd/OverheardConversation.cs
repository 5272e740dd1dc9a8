using System.Security.Cryptography;
using System.Text;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Profiles;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>Two people chat, one of them from two machines, while all traffic is recorded. Every text, password and
/// key is a secret to be looked for.</summary>
public sealed class OverheardConversation : IAsyncLifetime
{
    private const string Typed = "canary-typed-wrong-7h2kq9";

    private readonly List<Secret> _secrets = [Secret.Of("a password typed wrong", Typed)];
    private int _texts;

    internal LocalCluster Cluster { get; private set; } = null!;

    internal Capture? Capture { get; private set; }

    internal IReadOnlyCollection<Secret> Secrets => _secrets;

    internal Secret FirstText => _secrets.First(secret => secret.What == "text 0");

    /// <summary>Said in the clear, to see that the recording hears what is said.</summary>
    internal Secret Spoken { get; } = Secret.Of("what was said aloud", "canary-aloud-3x8vw1");

    public async Task InitializeAsync()
    {
        Cluster = await LocalCluster.StartAsync(3);
        if (Capture.Obstacle is null)
        {
            var port = new Uri(Cluster.Page).Port;
            Capture = await Capture.StartAsync(Path.Combine(Cluster.Home, "traffic.pcapng"), port - 15, port);
        }

        var (alice, bob) = (new Person(Cluster, "alice"), new Person(Cluster, "bob"));
        await Task.WhenAll(alice.RegisterAsync("n1"), bob.RegisterAsync("n2"));
        _secrets.Add(Secret.Of("the password", Person.Password));
        await ChatAsync(alice, bob);
        await alice.RunAsync(["history", "bob"], password: Typed);
        await new Person(Cluster, "thief").RunAsync(["login", "alice"], password: Typed);
        KeepKeysOf("alice");
        await new Person(Cluster, "laptop").DoAsync(["login", "alice"], "n3");
        foreach (var profile in new[] { "laptop", "bob" })
            KeepKeysOf(profile);
        using var http = new HttpClient();
        using var aloud = await http.GetAsync(
            new Uri($"{Cluster.Page}/{Encoding.UTF8.GetString(Spoken.Bytes)}"));
        if (Capture is null)
            return;
        await Capture.HeardAsync(Spoken);
        await Capture.StopAsync();
    }

    public async Task DisposeAsync()
    {
        if (Capture is not null)
            await Capture.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    /// <summary>Pushed live, kept for somebody who is away, and one that stays in the mailbox.</summary>
    private async Task ChatAsync(Person alice, Person bob)
    {
        await using (var tail = bob.Start(["tail", "--count", "1", "--timeout", "60"], "n2"))
        {
            await alice.DoAsync(["send", "bob", NewText()], "n1");
            await tail.ReadAsync();
            await tail.EndAsync();
        }

        await bob.DoAsync(["send", "alice", NewText()], "n2");
        await alice.DoAsync(["tail", "--count", "1", "--timeout", "60"], "n3");
        await alice.DoAsync(["send", "bob", NewText()], "n1");
    }

    private string NewText()
    {
        var text = $"canary-{RandomNumberGenerator.GetHexString(24)}";
        _secrets.Add(Secret.Of($"text {_texts++}", text));
        return text;
    }

    /// <summary>Private keys as this device holds them, and the secret that stands for the password at nodes.</summary>
    private void KeepKeysOf(string profile)
    {
        using var opened = Profile.Open(Cluster.Profile(profile));
        using var me = opened.Unlock(Person.Password);
        var device = me.RequireDevice();
        using (var signing = ECDsa.Create())
        {
            signing.ImportPkcs8PrivateKey(device.Signing.ExportPkcs8(), out _);
            _secrets.Add(new($"{profile}'s signing key", signing.ExportParameters(true).D!));
        }

        foreach (var key in device.Encryption)
        {
            using var rsa = RSA.Create();
            rsa.ImportPkcs8PrivateKey(key.ExportPkcs8(), out _);
            var parameters = rsa.ExportParameters(true);
            _secrets.Add(new($"{profile}'s encryption key, p", parameters.P!));
            _secrets.Add(new($"{profile}'s encryption key, d", parameters.D!));
        }

        using var keys = PasswordKeys.Derive(me.Cluster, me.User, Person.Password, device.Log.Head.Kdf);
        _secrets.Add(Secret.Of($"{profile}'s login secret", keys!.AuthSecret));
    }
}
