using System.Reflection;
using System.Runtime.InteropServices;

namespace ChordChat.Sdk.Storage;

/// <summary>Takes the system's SQLite where it is newer than the one that ships with the program.</summary>
/// <remarks>Distributions mend theirs; the bundled one is of 2021 and is for systems without any. The node compiles
/// this file too: the two share no project that knows SQLite.</remarks>
internal static class SystemSqlite
{
    private const int BundledVersion = 3_035_005;
    private static readonly string[] Names = ["libsqlite3.so.0", "libsqlite3.dylib"];
    private static readonly Lazy<bool> Ready = new(Load);

    /// <summary>Must run before the first connection; running it again does nothing.</summary>
    public static void Prepare() => _ = Ready.Value;

    private static bool Load()
    {
        var provider = Assembly.Load("SQLitePCLRaw.provider.e_sqlite3");
        try
        {
            NativeLibrary.SetDllImportResolver(provider, Resolve);
        }
        catch (InvalidOperationException)
        {
            // Another part of this process (node and client in one test) has set the same preference already.
        }

        SQLitePCL.Batteries_V2.Init();
        return true;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? search)
    {
        if (name != "e_sqlite3" || OperatingSystem.IsWindows())
            return 0; // 0 means: look where you would have looked.
        foreach (var candidate in Names)
            if (NativeLibrary.TryLoad(candidate, assembly, search, out var library))
            {
                if (VersionOf(library) > BundledVersion)
                    return library;
                NativeLibrary.Free(library);
            }

        return 0;
    }

    private static int VersionOf(nint library) =>
        NativeLibrary.TryGetExport(library, "sqlite3_libversion_number", out var function)
            ? Marshal.GetDelegateForFunctionPointer<VersionNumber>(function)()
            : 0;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int VersionNumber();
}
