using OpenWop.Micro.Gateway;
using OpenWop.Micro.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults(GatewayService.Name);
builder.AddGateway();

var app = builder.Build();
app.UseGateway();
app.MapServiceDefaults();
app.MapGateway();
await app.RunAsync();
