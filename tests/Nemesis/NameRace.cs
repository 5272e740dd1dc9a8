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
            var name = Next();
            await Task.WhenAll(Enumerable.Range(0, Rivals).Select(rival => ClaimAsync(name, rival)));
            await Task.Delay(PauseMs, CancellationToken.None);
        }
    }

    /// <summary>A name that nobody has claimed yet.</summary>
    public string Next() => $"race{Interlocked.Increment(ref _count) - 1}";

    /// <summary>When all is well: asks of every name whose it is.</summary>
    public Task AskAllAsync() => Parallel.ForEachAsync(
        Enumerable.Range(0, _count * Rivals), new ParallelOptions { MaxDegreeOfParallelism = AskedAtOnce },
        async (i, _) => await AskAsync($"race{i / Rivals}", i % Rivals));

    /// <summary>Claims a name for one of its rivals, who tells what came of it.</summary>
    /// <param name="node">Where to claim it first; null: anywhere.</param>
    public async Task ClaimAsync(string name, int rival, string? node = null)
    {
        var owner = Password(name, rival);
        var claim = record.Names.Begin($"rival {rival}", name, new NameCall.Claim(owner), record.Now);
        var (outcome, code) = await TryAsync(
            $"claim-{name}-{rival}", accounts => accounts.RegisterAsync(name, owner), node);
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
        if (outcome == Outcome.Refused && record.Names.Operations.Any(operation => operation.Key == name
            && operation is { Outcome: Outcome.Ok, Call: NameCall.Claim claim } && claim.Owner == owner))
            record.Judge($"rival {rival} was told that {name} is theirs, and cannot log in: {code}");
    }

    private async Task<(Outcome Outcome, string Code)> TryAsync(
        string folder, Func<Accounts, Task<UnlockedProfile>> call, string? node = null)
    {
        using var profile = Profile.Open(Path.Combine(home, "profiles", folder));
        using var accounts = new Accounts(profile, new NodeSearch
        {
            Explicit = node is null ? Shuffled() : [node, .. Shuffled().Where(other => other != node)],
            AskNetwork = false,
        });
        try
        {
            if (!profile.HasDevice)
                await accounts.GreetAsync();
            accounts.Agree();
            (await call(accounts)).Dispose();
            return (Outcome.Ok, "");
        }
        catch (ChordChatException refused) when (refused.Code is "taken_name" or "wrong_password" or "unknown_user")
        {
            return (Outcome.Refused, refused.Code);
        }
        catch (ChordChatException failed) when (failed.Message.Contains("was not created", StringComparison.Ordinal))
        {
            return (Outcome.Unavailable, failed.Code);
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
