using System.CommandLine;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop completion</c>: a script for the shell, which asks the tool itself what could come next.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # eval "$(openwop completion bash)"
        _openwop() {
          local line="${COMP_LINE:0:$COMP_POINT}" candidates
          line="${line#"${COMP_WORDS[0]}"}"; line="${line# }"
          candidates="$(openwop "[suggest:${#line}]" "$line" 2>/dev/null)"
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$candidates" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _openwop openwop
        """;

    private const string Zsh = """
        # eval "$(openwop completion zsh)"
        _openwop() {
          local line="${BUFFER[1,$CURSOR]}"
          line="${line#* }"
          local -a candidates
          candidates=("${(@f)$(openwop "[suggest:${#line}]" "$line" 2>/dev/null)}")
          compadd -- $candidates
        }
        compdef _openwop openwop
        """;

    private const string Fish = """
        # openwop completion fish | source
        function __openwop
          set -l line (commandline -cp | string replace -r '^\S+\s?' '')
          openwop "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c openwop -f -a '(__openwop)'
        """;

    private const string PowerShell = """
        # openwop completion pwsh | Out-String | Invoke-Expression
        Register-ArgumentCompleter -Native -CommandName openwop -ScriptBlock {
            param($wordToComplete, $commandAst, $cursorPosition)
            $line = $commandAst.ToString()
            if ($line.Length -lt $cursorPosition) { $line = $line.PadRight($cursorPosition) }
            $line = $line.Substring(0, $cursorPosition) -replace '^\S+\s?', ''
            openwop "[suggest:$($line.Length)]" $line 2>$null | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
            }
        }
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh, fish or pwsh" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        var command = new Command("completion", "A script that completes commands in your shell.") { shell };
        command.SetAction(result =>
        {
            Console.Out.WriteLine(result.GetValue(shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                "fish" => Fish,
                _ => PowerShell,
            });
            return ExitCodes.Ok;
        });
        return command;
    }
}
