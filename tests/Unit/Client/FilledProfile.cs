using System.Diagnostics;
using System.Text;
using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
using ChordChat.Tests.Unit.Crypto;
using ChordChat.Tests.Unit.Sdk;

namespace ChordChat.Tests.Unit.Client;

/// <summary>Alice's profile with messages of bob that nobody has seen, and the program that shows them; there is no
/// node.</summary>
internal sealed class FilledProfile : IDisposable
{
    public const string Password = "seven green boats at noon";

    // Beside the tests some of the client's libraries come from the tests' framework.
    private static readonly string Program =
        $"'{Environment.ProcessPath}' exec --runtimeconfig '{Beside("ChordChat.Tests.Unit.runtimeconfig.json")}' "
        + $"--depsfile '{Beside("ChordChat.Tests.Unit.deps.json")}' '{Beside("chordchat.dll")}'";

    public FilledProfile(params IEnumerable<string> texts)
    {
        using var profile = Profile.Open(Folder);
        var cluster = ClusterId.New();
        var kdf = KdfParameters.FromBytes(KdfParameters.IterationsMin, new byte[16]);
        using var keys = PasswordKeys.Derive(cluster, "alice", Password, kdf)!;
        var ready = new ReadyKeys();
        using var identity = ready.Identity();
        var device = ready.Device();
        var entry = KeyLogEntryBuilder.Create(cluster, "alice", 1, identity, device, default, kdf);
        using var authority = TestAuthority.Make();
        using var me = profile.Save(
            new Device(KeyLog.Verify(cluster, "alice", [entry.Bytes.ToArray()])!, device.Signing, [device.Encryption]),
            kdf, keys, new ClusterTrust(authority.RawData));
        var messages = new MessageTable("alice", me.Key);
        profile.Store.Write(db =>
        {
            foreach (var (i, text) in texts.Index())
                messages.InsertTheirs(db, Arrival(i, text), rank: i + 1);
            // No receipts are owed, which nobody could take here.
            db.Execute("UPDATE messages SET owed = 0, place = seq");
            db.Execute("INSERT INTO circle (user, written) VALUES ('bob', 1)");
        });
    }

    /// <summary>One more message comes.</summary>
    /// <param name="number">Its place, from 0.</param>
    public static void Arrive(UnlockedProfile me, int number, string text, double? rank = null)
    {
        var messages = new MessageTable("alice", me.Key);
        me.Store.Write(db =>
        {
            messages.InsertTheirs(db, Arrival(number, text), rank ?? number + 1);
            db.Execute("UPDATE messages SET owed = 0, place = seq");
        });
    }

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), "chordchat-tests", Guid.NewGuid().ToString("n"));

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>The messages that were not shown yet.</summary>
    public List<string> Unread()
    {
        using var profile = Profile.Open(Folder);
        using var me = profile.Unlock(Password);
        return [.. History.Of(me).Unread(int.MaxValue).Select(message => message.Text)];
    }

    /// <summary>The shell command that runs the program.</summary>
    /// <param name="arguments">As a shell reads them.</param>
    public string Command(string arguments) =>
        $"{Program} --profile '{Folder}' --node 127.0.0.1:1 {arguments}";

    /// <summary>Starts a shell command; whoever kills what <c>exec</c> made of it kills the program.</summary>
    public static Process Start(string command)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-c", command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment["CHORDCHAT_PASSWORD"] = Password;
        start.Environment["LC_ALL"] = "C.UTF-8";
        return Process.Start(start)!;
    }

    /// <summary>Runs a shell command to its end.</summary>
    public static async Task<(int Code, string Output, string Error)> RunAsync(string command, string input = "")
    {
        using var process = Start(command);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    private static string Beside(string file) => Path.Combine(AppContext.BaseDirectory, file);

    private static Arrival Arrival(int i, string text) => new(
        $"{i:x32}", "bob", 1, (ulong)i + 1, default, default, 1, 0, 1_700_000_000_000 + i, Encoding.UTF8.GetBytes(text),
        "");
}
