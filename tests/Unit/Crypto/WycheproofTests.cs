using System.Security.Cryptography;
using System.Text.Json;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Wycheproof: the platform's primitives, with exactly the parameters we use.</summary>
public class WycheproofTests
{
    [WycheproofFact]
    public void Oaep_with_sha256() =>
        WycheproofFile.Run("rsa_oaep_3072_sha256_mgf1sha256_test.json", passed: 29, skipped: 8, Oaep);

    [WycheproofFact]
    public void Oaep_with_sha256_in_other_sizes()
    {
        WycheproofFile.Run("rsa_oaep_2048_sha256_mgf1sha256_test.json", passed: 29, skipped: 8, Oaep);
        WycheproofFile.Run("rsa_oaep_4096_sha256_mgf1sha256_test.json", passed: 29, skipped: 8, Oaep);
    }

    [WycheproofFact]
    public void Pss_with_sha256_and_a_salt_of_32() =>
        WycheproofFile.Run("rsa_pss_3072_sha256_mgf1_32_test.json", passed: 108, skipped: 0, Pss);

    [WycheproofFact]
    public void Pss_in_other_sizes()
    {
        WycheproofFile.Run("rsa_pss_2048_sha256_mgf1_32_test.json", passed: 108, skipped: 0, Pss);
        WycheproofFile.Run("rsa_pss_4096_sha256_mgf1_32_test.json", passed: 108, skipped: 0, Pss);
    }

    [WycheproofFact]
    public void Pss_refuses_other_salts_and_mask_functions()
    {
        // tcId 69 of the first file is "s_len changed to 32": right for us.
        WycheproofFile.Run(
            "rsa_pss_2048_sha256_mgf1_0_test.json", passed: 103, skipped: 0, Pss,
            isValid: test => test.GetProperty("tcId").GetInt32() == 69);
        WycheproofFile.Run(
            "rsa_pss_2048_sha256_mgf1sha1_20_test.json", passed: 108, skipped: 0, Pss, isValid: _ => false);
    }

    [WycheproofFact]
    public void Aes_gcm_with_256_bits_and_a_nonce_of_96() =>
        WycheproofFile.Run("aes_gcm_test.json", passed: 66, skipped: 250, (group, test) =>
        {
            if (Number(group, "keySize") != 256 || Number(group, "ivSize") != 96 || Number(group, "tagSize") != 128)
                return null;
            var ciphertext = test.Hex("ct");
            var plain = new byte[ciphertext.Length];
            using var aes = new AesGcm(test.Hex("key"), 16);
            aes.Decrypt(test.Hex("iv"), ciphertext, test.Hex("tag"), plain, test.Hex("aad"));
            return plain.AsSpan().SequenceEqual(test.Hex("msg"));
        });

    [WycheproofFact]
    public void Hkdf_with_sha256() =>
        WycheproofFile.Run("hkdf_sha256_test.json", passed: 86, skipped: 0, (_, test) =>
            HKDF.DeriveKey(
                HashAlgorithmName.SHA256, test.Hex("ikm"), Number(test, "size"), test.Hex("salt"), test.Hex("info"))
            .AsSpan().SequenceEqual(test.Hex("okm")));

    [WycheproofFact]
    public void Hmac_with_sha256() =>
        WycheproofFile.Run("hmac_sha256_test.json", passed: 174, skipped: 0, (group, test) =>
            HMACSHA256.HashData(test.Hex("key"), test.Hex("msg")).AsSpan(0, Number(group, "tagSize") / 8)
            .SequenceEqual(test.Hex("tag")));

    [WycheproofFact]
    public void Pbkdf2_with_sha256() =>
        WycheproofFile.Run("pbkdf2_hmacsha256_test.json", passed: 60, skipped: 0, (_, test) =>
            Rfc2898DeriveBytes.Pbkdf2(
                test.Hex("password"), test.Hex("salt"), Number(test, "iterationCount"), HashAlgorithmName.SHA256,
                Number(test, "dkLen"))
            .AsSpan().SequenceEqual(test.Hex("dk")));

    [WycheproofFact]
    public void Ecdsa_on_p256_with_plain_signatures() =>
        WycheproofFile.Run("ecdsa_secp256r1_sha256_p1363_test.json", passed: 262, skipped: 0, (group, test) =>
        {
            using var ecdsa = ECDsa.Create(P256(group.Hex("publicKey", "uncompressed")));
            return ecdsa.VerifyData(test.Hex("msg"), test.Hex("sig"), HashAlgorithmName.SHA256);
        });

    [WycheproofFact]
    public void Ecdh_on_p256() =>
        WycheproofFile.Run("ecdh_secp256r1_ecpoint_test.json", passed: 354, skipped: 1, (_, test) =>
        {
            if (test.GetProperty("result").GetString() == "acceptable")
                return null; // A good point, but compressed: no format of ours.
            using var theirs = ECDiffieHellman.Create(P256(test.Hex("public")));
            var secret = test.Hex("private").AsSpan().TrimStart((byte)0);
            var d = new byte[32];
            secret.CopyTo(d.AsSpan(32 - secret.Length));
            using var ours = ECDiffieHellman.Create(
                new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = d });
            return ours.DeriveRawSecretAgreement(theirs.PublicKey).AsSpan().SequenceEqual(test.Hex("shared"));
        });

    private static bool? Oaep(JsonElement group, JsonElement test)
    {
        if (test.Hex("label").Length > 0)
            return null; // .NET cannot pass a label; ours is empty.
        using var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(group.Hex("privateKeyPkcs8"), out _);
        return rsa.Decrypt(test.Hex("ct"), RSAEncryptionPadding.OaepSHA256).AsSpan().SequenceEqual(test.Hex("msg"));
    }

    private static bool? Pss(JsonElement group, JsonElement test)
    {
        var modulus = group.Hex("publicKey", "modulus").AsSpan().TrimStart((byte)0).ToArray();
        using var rsa = RSA.Create(
            new RSAParameters { Modulus = modulus, Exponent = group.Hex("publicKey", "publicExponent") });
        return rsa.VerifyData(test.Hex("msg"), test.Hex("sig"), HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
    }

    private static int Number(JsonElement element, string name) => element.GetProperty(name).GetInt32();

    private static ECParameters P256(byte[] point) => point is [4, ..] && point.Length == 65
        ? new() { Curve = ECCurve.NamedCurves.nistP256, Q = new() { X = point[1..33], Y = point[33..] } }
        : throw new CryptographicException("not an uncompressed point");
}
