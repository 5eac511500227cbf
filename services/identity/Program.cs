using OpenWop.Micro.Identity;
using OpenWop.Micro.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("identity");
builder.AddIdentity();

var app = builder.Build();
app.MapServiceDefaults();
app.MapIdentity();
await app.RunAsync();
