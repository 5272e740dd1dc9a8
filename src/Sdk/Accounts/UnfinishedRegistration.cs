using ChordChat.Crypto;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;
using Google.Protobuf;
using KdfParameters = ChordChat.Crypto.Passwords.KdfParameters;

namespace ChordChat.Sdk.Accounts;

/// <summary>A registration of which it is not known yet whether it took effect, as the profile keeps it: the same
/// operation with the same keys can be handed in again until somebody knows.</summary>
/// <param name="Sealed">Opens with the password that was chosen.</param>
internal sealed record UnfinishedRegistration(string User, ClusterId Cluster, KdfParameters Kdf, byte[] Sealed)
{
    private const string RecordName = "unfinished";

    /// <summary>Seals it under the password. The secret is not in it: it follows from the password.</summary>
    public static UnfinishedRegistration Of(
        Device device, KdfParameters kdf, RegisterRequest request, PasswordKeys keys)
    {
        using var outer = keys.ToLocalKey();
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        WriteBytes(writer, new RegisterRequest(request) { Secret = "" }.ToByteArray());
        var deviceBytes = device.Write();
        WriteBytes(writer, deviceBytes);
        Array.Clear(deviceBytes);
        var plain = stream.ToArray();
        var made = new UnfinishedRegistration(
            device.User, device.Cluster, kdf, outer.Seal(RecordName, plain));
        Array.Clear(plain);
        return made;
    }

    /// <returns>What to hand in and the keys it is about; null for another password.</returns>
    public (RegisterRequest Request, Device Device)? Open(PasswordKeys keys)
    {
        using var outer = keys.ToLocalKey();
        if (outer.Open(RecordName, Sealed) is not { } plain)
            return null;
        using var reader = new BinaryReader(new MemoryStream(plain));
        var request = RegisterRequest.Parser.ParseFrom(ReadBytes(reader));
        request.Secret = keys.AuthSecret;
        var device = Device.Parse(Cluster, User, ReadBytes(reader));
        Array.Clear(plain);
        return (request, device);
    }

    public byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(User);
        WriteBytes(writer, Cluster.ToBytes());
        writer.Write(Kdf.Iterations);
        WriteBytes(writer, Kdf.ToSaltBytes());
        WriteBytes(writer, Sealed);
        return stream.ToArray();
    }

    public static UnfinishedRegistration FromBytes(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        return new(
            reader.ReadString(),
            ClusterId.FromBytes(ReadBytes(reader)),
            KdfParameters.FromBytes(reader.ReadUInt32(), ReadBytes(reader)),
            ReadBytes(reader));
    }

    private static void WriteBytes(BinaryWriter writer, byte[] bytes)
    {
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }

    private static byte[] ReadBytes(BinaryReader reader) => reader.ReadBytes(reader.ReadInt32());
}
