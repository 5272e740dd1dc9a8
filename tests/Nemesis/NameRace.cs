using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Tests.Checkers;

namespace ChordChat.Tests.Nemesis;

/// <summary>Three claim one name at once, each with a password of its own; whose password opens it, owns it.</summary>
internal sealed class NameRace(string home, IReadOnlyList<string> nodes, Record record, Random random)
{
    private const int Rivals = 3;
    private const int PauseMs = 8_000; // Each claim makes keys, which costs more than all the messages meanwhile.
    private const int AskedAtOnce = 4;
    private int _count;

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var name = $"race{_count++}";
            await Task.WhenAll(Enumerable.Range(0, Rivals).Select(rival => ClaimAsync(name, rival)));
            await Task.Delay(PauseMs, CancellationToken.None);
        }
    }

    /// <summary>When all is well: asks of every name whose it is.</summary>
    public Task AskAllAsync() => Parallel.ForEachAsync(
        Enumerable.Range(0, _count * Rivals), new ParallelOptions { MaxDegreeOfParallelism = AskedAtOnce },
        async (i, _) => await AskAsync($"race{i / Rivals}", i % Rivals));

    private async Task ClaimAsync(string name, int rival)
    {
        var owner = Password(name, rival);
        var claim = record.Names.Begin($"rival {rival}", name, new NameCall.Claim(owner), record.Now);
        var (outcome, code) = await TryAsync(
            $"claim-{name}-{rival}", accounts => accounts.RegisterAsync(name, owner));
        claim.Return(outcome, outcome == Outcome.Ok ? owner : null, record.Now);
        record.Count($"claim {outcome} {code}".TrimEnd());
    }

    private async Task AskAsync(string name, int rival)
    {
        var owner = Password(name, rival);
        var ask = record.Names.Begin("asker", name, new NameCall.Ask(), record.Now);
        var (outcome, code) = await TryAsync($"ask-{name}-{rival}", accounts => accounts.LogInAsync(name, owner));
        // A wrong password says nothing of whose it is; an answer to the right one does.
        ask.Return(
            outcome == Outcome.Ok ? Outcome.Ok : Outcome.Unavailable, outcome == Outcome.Ok ? owner : null, record.Now);
        record.Count($"ask {outcome} {code}".TrimEnd());
    }

    private async Task<(Outcome Outcome, string Code)> TryAsync(
        string folder, Func<Accounts, Task<UnlockedProfile>> call)
    {
        using var profile = Profile.Open(Path.Combine(home, "profiles", folder));
        using var accounts = new Accounts(profile, new NodeSearch
        {
            Explicit = Shuffled(),
            AskNetwork = false,
        });
        try
        {
            (await call(accounts)).Dispose();
            return (Outcome.Ok, "");
        }
        catch (ChordChatException refused) when (refused.Code is "taken_name" or "wrong_password" or "unknown_user")
        {
            return (Outcome.Refused, refused.Code);
        }
        catch (ChordChatException unclear)
        {
            return (Outcome.Unknown, $"{unclear.Code} ({unclear.Message})");
        }
    }

    private string[] Shuffled()
    {
        lock (random)
            return [.. nodes.OrderBy(_ => random.Next())];
    }

    private static string Password(string name, int rival) => $"rival {rival} wants {name} for good";
}
