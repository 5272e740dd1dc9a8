using ChordChat.Bench.Nodes;
using ChordChat.Crypto.Keys;

namespace ChordChat.Bench.Users;

/// <summary>One set of keys that many users of the load share.</summary>
internal sealed record SharedKeys(IdentityKey Identity, DeviceKeys Device);

/// <summary>Test keys, made once and kept in artifacts/bench-keys: an RSA-3072 key takes about a second. They are
/// nobody's secret and of no use outside of a load test.</summary>
internal static class KeyPool
{
    private const int Count = 4;

    public static IReadOnlyList<SharedKeys> Load()
    {
        var folder = Path.Combine(BuiltProgram.Artifacts, "bench-keys");
        Directory.CreateDirectory(folder);
        return [.. Enumerable.Range(0, Count).Select(i => LoadOrMake(Path.Combine(folder, $"shared-{i}")))];
    }

    private static SharedKeys LoadOrMake(string path)
    {
        var (identityPath, devicePath) = ($"{path}.identity", $"{path}.device");
        if (File.Exists(devicePath)
            && IdentityKey.TryImport(File.ReadAllBytes(identityPath)) is { } identity
            && DeviceKeys.TryImport(File.ReadAllBytes(devicePath)) is { } device)
            return new(identity, device);
        var made = new SharedKeys(IdentityKey.Create(), DeviceKeys.Create());
        File.WriteAllBytes(identityPath, made.Identity.ExportPkcs8());
        File.WriteAllBytes(devicePath, made.Device.Export());
        return made;
    }
}
