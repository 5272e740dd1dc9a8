namespace BCrypt.Net;

/// <summary>A salt or hash that cannot be used.</summary>
public class SaltParseException(string message) : Exception(message);
