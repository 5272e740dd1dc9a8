using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keyrings;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Messages;
using ChordChat.Crypto.Passwords;
using Xunit;
using static ChordChat.Tests.Unit.Crypto.TestUsers;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Fuzzing: no parser throws, whatever comes; what it takes, it writes back the same.</summary>
public class ParserFuzzTests
{
    private const ulong Seed = 20_261_121;
    private const int Rounds = 4_000;

    private static readonly LocalKey Local = LocalKey.FromBytes(new byte[32]);
    private static readonly Keyring Ring = Keyring.Create(AliceIdentity, Alice1);

    [Fact]
    public void Envelope_headers() => Fuzz(Seal(Hello()).Envelope, bytes => EnvelopeHeader.TryParse(bytes));

    [Fact]
    public void Message_bodies() => Fuzz(Hello().Write(), bytes =>
    {
        if (DirectMessage.TryRead(bytes) is { Content: not MessageContent.Unsupported } message)
            Assert.Equal(bytes, message.Write());
    });

    [Fact]
    public void Receipts() => Fuzz(
        new MessageContent.Receipt(ReceiptKind.Read, [EnvelopeId.New(), EnvelopeId.New()]).Write(), bytes =>
        {
            if (MessageContent.TryRead(3, bytes) is { } receipt)
                Assert.Equal(bytes, receipt.Write());
        });

    [Fact]
    public void Key_log_entries() => Fuzz(AliceEntry.Bytes.ToArray(), bytes =>
    {
        if (KeyLogEntry.TryParse(bytes) is { } entry)
            Assert.Equal(entry.Body.ToArray(), entry.F.Write());
    });

    [Fact]
    public void Keyrings_inside_their_seal() => Fuzz(Ring.Write(), bytes => Keyring.TryRead(1, bytes)?.Dispose(), 300);

    [Fact]
    public void Device_keys() => Fuzz(Alice1.Export(), bytes => DeviceKeys.TryImport(bytes)?.Dispose(), 300);

    [Fact]
    public void Settings() => Fuzz(
        new SettingsRecord(1, [1]).Seal(Cluster, "alice", Ring.HistoryKeys[0], 1, Alice1.Signing),
        bytes => SettingsRecord.Open(Ring, AliceLog, bytes));

    [Fact]
    public void Local_records() => Fuzz(Local.Seal("x", [1]), bytes => Local.Open("x", bytes));

    private static void Fuzz(byte[] valid, Action<byte[]> parse, int rounds = Rounds)
    {
        var random = new SplitMix(Seed);
        for (var round = 0; round < rounds; round++)
        {
            var mutated = Mutate(valid, random);
            var fault = Record.Exception(() => parse(mutated));
            Assert.True(fault is null, $"seed {Seed}, round {round}: {fault}\n{Convert.ToHexString(mutated)}");
        }
    }

    private static byte[] Mutate(byte[] valid, SplitMix random)
    {
        List<byte> bytes = [.. valid];
        for (var times = 1 + random.Below(4); times > 0 && bytes.Count > 0; times--)
        {
            var at = random.Below(bytes.Count);
            switch (random.Below(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Below(8));
                    break;
                case 1:
                    bytes[at] = new byte[] { 0, 1, 0x7F, 0x80, 0xFF }[random.Below(5)];
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at, 1 + random.Below(40)));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(bytes.Count - at, 1 + random.Below(40))));
                    break;
                case 4:
                    bytes[random.Below(Math.Min(bytes.Count, 80))] = (byte)random.Below(256);
                    break;
                default:
                    bytes.Insert(at, (byte)random.Below(256));
                    break;
            }
        }

        return [.. bytes];
    }

    private sealed class SplitMix(ulong state)
    {
        private ulong _state = state;

        public int Below(int limit)
        {
            var z = unchecked(_state += 0x9E37_79B9_7F4A_7C15);
            z = unchecked((z ^ z >> 30) * 0xBF58_476D_1CE4_E5B9);
            z = unchecked((z ^ z >> 27) * 0x94D0_49BB_1331_11EB);
            return (int)((z ^ z >> 31) % (ulong)limit);
        }
    }
}
