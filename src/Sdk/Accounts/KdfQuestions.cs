using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;
using Grpc.Core;
using KdfParameters = ChordChat.Crypto.Passwords.KdfParameters;

namespace ChordChat.Sdk.Accounts;

/// <summary>Asks how a user's password is stretched: one node's word does not decide it.</summary>
/// <remarks>docs/e2e.md, Passwords. To ask is no guess.</remarks>
internal sealed class KdfQuestions(Profile profile, NodeLinks links, string user)
{
    private const int OthersMax = 2;

    private readonly HashSet<string> _asked = [];
    private readonly HashSet<string> _passedOver = [];

    /// <summary>Ids, in hex, of nodes that gave other parameters than those that are used now.</summary>
    public IReadOnlySet<string> PassedOver => _passedOver;

    /// <summary>Those of the node in use; those that the profile knows, if they differ and another node gives them.
    /// Then that node is in use.</summary>
    /// <exception cref="ChordChatException"><c>bad_parameters</c>, <c>unavailable</c>, ...</exception>
    public async Task<KdfParameters> FirstAsync(CancellationToken cancellation)
    {
        NodeLink? at = null;
        KdfParameters given;
        try
        {
            var answer = await links.AskAsync(
                (link, options) =>
                {
                    at = link;
                    return link.Chat.GetKdfAsync(new GetKdfRequest { User = user }, options);
                },
                cancellation);
            given = Check(answer) ?? throw BadParameters();
        }
        catch (RpcException cause)
        {
            throw Failures.OfLogin(cause);
        }

        _asked.Add(at!.Key);
        return profile.KdfPinned is { } pinned && pinned != given
            && await UseOtherAsync(other => other == pinned, OthersMax, cancellation) is { } known
                ? known
                : given;
    }

    /// <summary>After a password was called wrong: what another node gives, if that is something else, and nothing
    /// vouches for the first ones. Then that node is in use.</summary>
    public async Task<KdfParameters?> OtherAsync(KdfParameters first, CancellationToken cancellation) =>
        profile.KdfPinned == first
            ? null
            : await UseOtherAsync(other => other != first, 1, cancellation);

    internal static ChordChatException BadParameters() => new(
        "bad_parameters", "the node asks for a weaker password derivation than is allowed",
        "do not type the password again there; name another node with --node, and tell the operator");

    private async Task<KdfParameters?> UseOtherAsync(
        Predicate<KdfParameters> isWanted, int othersMax, CancellationToken cancellation)
    {
        for (var count = 0; count < othersMax; count++)
        {
            var other = await links.OpenOtherAsync(_asked, cancellation, isEverywhere: true);
            if (other is null)
                return null;
            if (await AskOtherAsync(other, cancellation) is { } given && isWanted(given))
            {
                _passedOver.UnionWith(_asked);
                links.Use(other);
                return given;
            }

            _asked.Add(other.Key);
            other.Dispose();
        }

        return null;
    }

    private async Task<KdfParameters?> AskOtherAsync(NodeLink other, CancellationToken cancellation)
    {
        try
        {
            return Check(await other.Chat.GetKdfAsync(
                new GetKdfRequest { User = user }, NodeLinks.Options(cancellation)));
        }
        catch (RpcException)
        {
            cancellation.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>Nobody talks a client into less than it used before.</summary>
    private KdfParameters? Check(Wire.KdfParameters given)
    {
        if (given.Salt.Length != KdfParameters.SaltBytes)
            return null;
        var kdf = KdfParameters.FromBytes(given.Iterations, given.Salt.Span);
        return kdf.AreAcceptable && kdf.Iterations >= profile.IterationsPinned ? kdf : null;
    }
}
