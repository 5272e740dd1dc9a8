using System.Reflection;
using System.Runtime.InteropServices;

namespace ChordChat.Node.Storage;

/// <summary>Takes the system's SQLite where it is newer than the one that ships with the program.</summary>
/// <remarks>Distributions mend theirs; the bundled one is of 2021 and is for systems without any.</remarks>
internal static class SystemSqlite
{
    private const int BundledVersion = 3_035_005;
    private static readonly Lock Turn = new();
    private static bool _ready;

    /// <summary>Must run before the first connection; running it again does nothing.</summary>
    public static void Prepare()
    {
        lock (Turn)
        {
            if (_ready)
                return;
            try
            {
                NativeLibrary.SetDllImportResolver(typeof(SQLitePCL.SQLite3Provider_e_sqlite3).Assembly, Resolve);
            }
            catch (InvalidOperationException)
            {
                // Another part of this process (a client, in tests) has set the same preference already.
            }

            SQLitePCL.Batteries_V2.Init();
            _ready = true;
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? search)
    {
        if (name != "e_sqlite3" || !OperatingSystem.IsLinux()
            || !NativeLibrary.TryLoad("libsqlite3.so.0", out var library))
            return 0; // 0 means: look where you would have looked.
        if (VersionOf(library) > BundledVersion)
            return library;
        NativeLibrary.Free(library);
        return 0;
    }

    private static int VersionOf(nint library) =>
        NativeLibrary.TryGetExport(library, "sqlite3_libversion_number", out var function)
            ? Marshal.GetDelegateForFunctionPointer<VersionNumber>(function)()
            : 0;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int VersionNumber();
}
