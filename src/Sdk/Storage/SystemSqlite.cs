using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ChordChat.Sdk.Storage;

/// <summary>Prefers the system's SQLite, which gets security fixes, to the older copy that the package
/// bundles.</summary>
internal static class SystemSqlite
{
    private static readonly string[] Names = ["libsqlite3.so.0", "libsqlite3.dylib"];
    private static readonly Lazy<bool> Ready = new(Load);

    public static void EnsureLoaded() => _ = Ready.Value;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Load()
    {
        var provider = Assembly.Load("SQLitePCLRaw.provider.e_sqlite3");
        try
        {
            NativeLibrary.SetDllImportResolver(provider, Resolve);
        }
        catch (InvalidOperationException)
        {
            // Another part of this process (a node, in tests) has set the same preference already.
        }

        SQLitePCL.Batteries_V2.Init();
        return true;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name == "e_sqlite3" && !OperatingSystem.IsWindows())
            foreach (var candidate in Names)
                if (NativeLibrary.TryLoad(candidate, assembly, path, out var handle))
                    return handle;
        return 0;
    }
}
