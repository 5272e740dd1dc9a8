using System.Text;
using ChordChat.Node.Identity;

namespace ChordChat.Node.Tiles;

/// <summary>Proves that this node can keep something: writes a register of its own at a majority.</summary>
internal sealed class QuorumProof(IRegisters registers, LocalNode node, TimeProvider time)
{
    /// <returns>Null when it could, otherwise why not, in words.</returns>
    public async Task<string?> ProveAsync(CancellationToken cancellation)
    {
        var key = new RegisterKey($"ready/{node.Self.Node}");
        var value = Encoding.ASCII.GetBytes(time.GetUtcNow().ToString("O"));
        return await registers.ChangeAsync(key, _ => value, cancellation) switch
        {
            ChangeOutcome.Stored => null,
            ChangeOutcome.Unavailable(var reached, var needed) when reached < needed =>
                $"only {reached} of the {needed} copies needed for a write answered",
            _ => "a write was not confirmed in time",
        };
    }
}
