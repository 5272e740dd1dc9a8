using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Base;

namespace ChordChat.Node.Chat;

/// <summary>How many calls of one kind are let in within a minute: of one address block, and in all. Safe for threads.
/// </summary>
/// <param name="fewOfBlock">So many of a block are let in, however many come from other blocks.</param>
internal abstract class BlockDoor(int perBlock, int inAll, int fewOfBlock, ChatClock clock)
{
    private const string All = "all";
    private readonly Lock _turn = new();
    private readonly AddressThrottle _blocks = new(perBlock);
    private readonly AddressThrottle _all = new(inAll);

    /// <returns>How long to wait first; zero to go on.</returns>
    public virtual TimeSpan TryEnter(IPAddress? address)
    {
        var (block, now) = (AddressBlock.OfSite(address), clock.Steady);
        lock (_turn)
        {
            var ofBlock = _blocks.Wait(block, now);
            var ofAll = _blocks.FailureCount(block, now) >= fewOfBlock ? _all.Wait(All, now) : TimeSpan.Zero;
            if (ofBlock > TimeSpan.Zero || ofAll > TimeSpan.Zero)
                return ofBlock > ofAll ? ofBlock : ofAll;
            _blocks.Failed(block, now);
            _all.Failed(All, now);
            return TimeSpan.Zero;
        }
    }
}

/// <summary>Names that may be asked for before registering: who asks for many wants a list of them.</summary>
internal sealed class NameDoor(ChatOptions options, ChatClock clock)
    : BlockDoor(options.NamesPerAddressMax, options.NamesMax, fewOfBlock: 0, clock);

/// <summary>How often strangers may make a node read an account where nothing is guessed: before a login (GetKdf) and
/// after one (PublishKeys). Calls from this machine itself are not counted.</summary>
/// <remarks>docs/security.md, "What a call may cost".</remarks>
internal class AccountDoor(ChatOptions options, ChatClock clock)
    : BlockDoor(options.AccountReadsPerAddressMax, options.AccountReadsMax, FewOfBlock, clock)
{
    public const int FewOfBlock = 5;

    public override TimeSpan TryEnter(IPAddress? address) =>
        address is not null && IPAddress.IsLoopback(address) ? TimeSpan.Zero : base.TryEnter(address);
}

/// <summary>The same for tries to log in, counted apart: those that must wait are told so only once the account has
/// been read.</summary>
internal sealed class LoginDoor(ChatOptions options, ChatClock clock) : AccountDoor(options, clock);
