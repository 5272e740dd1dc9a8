using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace ChordChat.Tests.Nemesis;

/// <summary>The shipped client as a process in a network of people: what it prints, object by object.</summary>
internal sealed class ClientProgram
{
    private readonly Process _process;
    private readonly Task<string> _error;
    private readonly Task _reading;

    /// <param name="print">Called for each line of its output, in order, from one thread.</param>
    public ClientProgram(ClientPlace place, string[] arguments, Action<JsonElement> print)
    {
        Command = arguments[0];
        var start = new ProcessStartInfo(
            "ip",
            [
                "netns", "exec", place.Space, place.Program, .. arguments, "--json", "--profile", place.Folder,
                .. place.Nodes.SelectMany(node => new[] { "--node", node }),
            ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["CHORDCHAT_PASSWORD"] = Person.Password;
        start.Environment["CHORDCHAT_TRUST"] = FingerprintAt(place.Home);
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0"; // They live for seconds.
        start.Environment["HOME"] = start.Environment["TMPDIR"] = place.Home;
        _process = Process.Start(start)!;
        _error = _process.StandardError.ReadToEndAsync();
        _reading = ReadAsync(print);
    }

    /// <summary>What its operator would have told a guest: docs/e2e.md#first-contact.</summary>
    private static string FingerprintAt(string home)
    {
        using var authority = X509CertificateLoader.LoadCertificateFromFile(
            Path.Combine(home, "cluster", "authority.crt"));
        return Convert.ToHexStringLower(SHA256.HashData(authority.RawData).AsSpan(0, 16));
    }

    /// <summary>The first word of its arguments.</summary>
    public string Command { get; }

    public bool IsUp => !_process.HasExited;

    /// <summary>Whether this runner ended it.</summary>
    public bool WasEnded { get; private set; }

    public async Task WriteLineAsync(string line)
    {
        try
        {
            await _process.StandardInput.WriteLineAsync(line);
            await _process.StandardInput.FlushAsync();
        }
        catch (IOException)
        {
            // It has ended, and the line is lost, as for whoever types into it.
        }
    }

    /// <summary>Ends it as a power cut would.</summary>
    public Task KillAsync() => EndAsync("KILL");

    /// <summary>Asks it to end.</summary>
    public Task StopAsync() => EndAsync("TERM");

    /// <summary>Waits for its end and the last line of its output.</summary>
    /// <returns>Its exit code and what it said to standard error.</returns>
    public async Task<(int Code, string Error)> EndedAsync()
    {
        await _process.WaitForExitAsync();
        await _reading;
        return (_process.ExitCode, (await _error).Trim());
    }

    private async Task EndAsync(string signal)
    {
        WasEnded = true;
        if (IsUp)
            await Shell.TryAsync("kill", $"-{signal}", $"{_process.Id}");
        await EndedAsync().WaitAsync(TimeSpan.FromSeconds(60));
    }

    private async Task ReadAsync(Action<JsonElement> print)
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
            try
            {
                using var document = JsonDocument.Parse(line);
                print(document.RootElement);
            }
            catch (JsonException)
            {
                // A process that is killed may have written half a line. Nobody has read it.
            }
    }
}

/// <summary>Where a client program runs.</summary>
/// <param name="Space">The network namespace.</param>
/// <param name="Folder">Its profile.</param>
/// <param name="Home">For whatever else it writes.</param>
internal sealed record ClientPlace(
    string Program, string Space, string Folder, string Home, IReadOnlyList<string> Nodes);
