using System.Buffers;
using System.Text;
using Grpc.Core.Utils;

namespace Grpc.Core;

public sealed partial class Metadata
{
    /// <summary>One header: a lower-case key with text, or with bytes if the key ends in <c>-bin</c>.</summary>
    public class Entry
    {
        private static readonly SearchValues<char> KeyCharacters =
            SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_-.");

        private readonly string? _value;
        private readonly byte[]? _valueBytes;

        /// <exception cref="ArgumentException">The key does not end in <c>-bin</c> or cannot be sent.</exception>
        public Entry(string key, byte[] valueBytes)
        {
            Key = Normalize(key);
            GrpcPreconditions.CheckArgument(IsBinary, $"Key {Key} must end in {BinaryHeaderSuffix} to carry bytes.");
            // A copy: the caller may use the array again.
            _valueBytes = [.. GrpcPreconditions.CheckNotNull(valueBytes, nameof(valueBytes))];
        }

        /// <exception cref="ArgumentException">The key ends in <c>-bin</c> or cannot be sent.</exception>
        public Entry(string key, string value)
        {
            Key = Normalize(key);
            GrpcPreconditions.CheckArgument(
                !IsBinary, $"Key {Key} ends in {BinaryHeaderSuffix}; its value must be bytes.");
            _value = GrpcPreconditions.CheckNotNull(value, nameof(value));
        }

        public string Key { get; }

        /// <summary>A copy of the bytes; of a text entry, its ASCII.</summary>
        public byte[] ValueBytes => _valueBytes is null ? Encoding.ASCII.GetBytes(_value!) : [.. _valueBytes];

        /// <exception cref="InvalidOperationException">The entry carries bytes.</exception>
        public string Value
        {
            get
            {
                GrpcPreconditions.CheckState(_value is not null, $"Key {Key} carries bytes, not text.");
                return _value;
            }
        }

        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        public override string ToString() => IsBinary
            ? $"[Entry: key={Key}, valueBytes={Convert.ToHexString(_valueBytes!)}]"
            : $"[Entry: key={Key}, value={_value}]";

        private static string Normalize(string key)
        {
            var lower = GrpcPreconditions.CheckNotNull(key, nameof(key)).ToLowerInvariant();
            GrpcPreconditions.CheckArgument(
                lower.Length > 0 && !lower.AsSpan().ContainsAnyExcept(KeyCharacters),
                $"Metadata key '{key}' may only contain letters, digits, underscores, hyphens and dots.");
            return lower;
        }
    }
}
