using System.Runtime.InteropServices;

namespace ChordChat.Node.Storage;

/// <summary>The array behind a memory where it is exactly that, otherwise a copy: SQLite binds arrays only.</summary>
internal static class WholeArray
{
    public static byte[] ToWholeArray(this ReadOnlyMemory<byte> memory) =>
        MemoryMarshal.TryGetArray(memory, out var part) && part.Offset == 0 && part.Count == part.Array!.Length
            ? part.Array
            : memory.ToArray();
}
