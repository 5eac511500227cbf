using System.Text.Json.Serialization;

namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>Makes a JSON string of a member's name, for <c>propertyNames</c>.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class JsonNames : JsonSerializerContext;
