namespace ChordChat.Node.Storage;

/// <summary>Asks how much room there is on the volume of the node's folder.</summary>
internal delegate VolumeSpace VolumeProbe();

/// <param name="FreeBytes">For this process.</param>
internal readonly record struct VolumeSpace(long FreeBytes, long Bytes)
{
    public static VolumeSpace Of(string folder)
    {
        var drive = new DriveInfo(Path.GetFullPath(folder));
        return new(drive.AvailableFreeSpace, drive.TotalSize);
    }
}
