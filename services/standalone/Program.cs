using OpenWop.Micro.Standalone;
using OpenWop.Micro.Standalone.Demo;

if (args.Contains("--help"))
{
    Console.WriteLine(Usage.Text);
    return 0;
}

return args.Contains("--demo")
    ? await DemoProgram.RunAsync([.. args.Where(argument => argument != "--demo")])
    : await StandaloneHost.RunAsync(args);
