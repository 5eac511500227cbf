using OpenWop.Micro.Identity;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Callers;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("identity");
builder.AddCallers("identity");
builder.AddIdentity();

var app = builder.Build();
app.MapServiceDefaults();
app.MapIdentity();
await app.RunAsync();
