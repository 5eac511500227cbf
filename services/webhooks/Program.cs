using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.Webhooks;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("webhooks");
builder.AddWebhooks();

var app = builder.Build();
app.MapServiceDefaults();
app.MapWebhooks();
await app.RunAsync();
