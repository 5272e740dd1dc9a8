using ChordChat.Core.Tiles.Registers;
using ChordChat.Node.Tiles;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>No copy of any register answers.</summary>
internal sealed class NoRegisters : IRegisters, IRegisterGlimpses
{
    public Task<ChangeOutcome> ChangeAsync(
        RegisterKey key, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>?> decide,
        CancellationToken cancellation) =>
        Task.FromResult<ChangeOutcome>(new ChangeOutcome.Unavailable(0, 1));

    public Task<ReadOutcome> ReadAsync(RegisterKey key, CancellationToken cancellation) =>
        Task.FromResult<ReadOutcome>(new ReadOutcome.Unavailable(0, 1));

    public Task<UnprovenValue?> PeekAsync(RegisterKey key, CancellationToken cancellation) =>
        Task.FromResult<UnprovenValue?>(null);

    public Task<Glimpse> GlimpseAsync(RegisterKey key, CancellationToken cancellation) =>
        Task.FromResult<Glimpse>(new Glimpse.Unproven(null, 0, 1));

    public Task<Glimpse> GlimpseWithinAsync(RegisterKey key, CancellationToken patience) =>
        GlimpseAsync(key, patience);
}
