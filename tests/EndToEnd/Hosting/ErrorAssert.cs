using System.Text.Json;

namespace OpenWop.Micro.EndToEnd.Tests.Hosting;

internal static class ErrorAssert
{
    /// <summary>Asserts status, code and the closed shape of the envelope; returns it.</summary>
    public static async Task<JsonElement> IsErrorAsync(this HttpResponseMessage response, int status, string code)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync();
            Assert.True(status == (int)response.StatusCode, $"{(int)response.StatusCode} {text}");
            var envelope = JsonElement.Parse(text);
            Assert.Equal(code, envelope.GetProperty("error").GetString());
            Assert.NotEmpty(envelope.GetProperty("message").GetString()!);
            Assert.All(envelope.EnumerateObject(), member => Assert.Contains(member.Name, new[] { "error", "message", "details" }));
            return envelope;
        }
    }
}
