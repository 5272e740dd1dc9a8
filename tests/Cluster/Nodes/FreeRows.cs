using ChordChat.Core.Tiles;
using ChordChat.Node.Chat;
using ChordChat.Node.Tiles;
using Microsoft.Extensions.DependencyInjection;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>Registers and sets that the nodes of these tests have beside their own (docs/protocol.md#names-of-rows):
/// every node may write there, and what it likes.</summary>
internal static class FreeRows
{
    private const string Registers = "free/";
    private const int SlowMs = 20;
    private const string Sets = "open/"; // A register and a set of one name lie in different tiles.

    public static RegisterKey Register(string name) => new(Registers + name);

    /// <summary>Whoever judges a value in it meets an error of the program.</summary>
    public static readonly RegisterKey Faulty = Register("faulty");

    /// <summary>Whoever judges a value in it takes long.</summary>
    public static readonly RegisterKey Slow = Register("slow");

    public static SetKey Set(string name) => new(Sets + name);

    /// <summary>Opens both kinds at a node.</summary>
    public static void Open(IServiceCollection services) =>
        services.AddSingleton<IValueRules>(made => new Rules(ActivatorUtilities.CreateInstance<RegisterRules>(made)));

    private sealed class Rules(RegisterRules chat) : IValueRules
    {
        public bool HasRegister(string key) => IsFree(key) || chat.HasRegister(key);

        public bool HasSet(string name) => name.StartsWith(Sets, StringComparison.Ordinal) || chat.HasSet(name);

        public string? BesideOf(string key) => chat.BesideOf(key);

        public ValueVerdict Judge(
            string key, ReadOnlyMemory<byte> own, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte>? beside) =>
            key == Slow.Name && SpinWait.SpinUntil(() => false, SlowMs) ? throw new InvalidOperationException("never")
            : key == Faulty.Name ? throw new InvalidOperationException("a fault")
            : IsFree(key) ? ValueVerdict.Fits
            : chat.Judge(key, own, value, beside);

        public bool FitsBeside(string key, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte> beside) =>
            IsFree(key) || chat.FitsBeside(key, value, beside);

        private static bool IsFree(string key) => key.StartsWith(Registers, StringComparison.Ordinal);
    }
}
