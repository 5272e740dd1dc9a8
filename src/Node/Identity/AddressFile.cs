using System.Text;
using ChordChat.Node.Base;

namespace ChordChat.Node.Identity;

/// <summary>DATA/address: where the node in this folder answers, host:port; for scripts and for this program's
/// commands.</summary>
internal static class AddressFile
{
    private const string FileName = "address";

    /// <exception cref="StartRefusedException">The disk is full, or broken.</exception>
    public static void Write(string folder, string address) =>
        PrivateFiles.WriteOrRefuse(Path.Combine(folder, FileName), Encoding.ASCII.GetBytes(address + "\n"));

    public static string? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
    }
}
