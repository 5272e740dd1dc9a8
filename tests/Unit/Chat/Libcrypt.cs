using System.Runtime.InteropServices;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>The system's own bcrypt, to compare the library with.</summary>
internal sealed class Libcrypt : IDisposable
{
    public const string Name = "libcrypt.so.1";

    private const int StateBytes = 32_768; // struct crypt_data of libxcrypt

    private readonly nint _library = NativeLibrary.Load(Name);
    private readonly nint _state = Marshal.AllocHGlobal(StateBytes);
    private readonly CryptR _crypt;

    public Libcrypt() =>
        _crypt = Marshal.GetDelegateForFunctionPointer<CryptR>(NativeLibrary.GetExport(_library, "crypt_r"));

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate nint CryptR(nint phrase, nint setting, nint state);

    public string Hash(string secret, string salt)
    {
        Marshal.Copy(new byte[StateBytes], 0, _state, StateBytes);
        var (phrase, setting) = (Marshal.StringToCoTaskMemUTF8(secret), Marshal.StringToCoTaskMemUTF8(salt));
        try
        {
            return Marshal.PtrToStringUTF8(_crypt(phrase, setting, _state)) ?? "";
        }
        finally
        {
            Marshal.FreeCoTaskMem(phrase);
            Marshal.FreeCoTaskMem(setting);
        }
    }

    public void Dispose()
    {
        Marshal.FreeHGlobal(_state);
        NativeLibrary.Free(_library);
    }
}

/// <summary>A test that is skipped, visibly, where the system has no libcrypt.</summary>
internal sealed class LibcryptFactAttribute : FactAttribute
{
    public LibcryptFactAttribute()
    {
        if (NativeLibrary.TryLoad(Libcrypt.Name, out var library))
            NativeLibrary.Free(library);
        else
            Skip = $"This system has no {Libcrypt.Name} to compare with.";
    }
}
