/** Who may do what in the demo: short enough to read, and with one example of each verdict. */
export const policy = `// Made by "sallyport demo". Who may do what; docs/policy.md says what else there is. After a change: sallyport reload
@id("everybody-connects")
permit (principal, action in [Action::"connect", Action::"ssh:shell"], resource);

@id("people-work")
permit (principal is Human, action in Action::"ssh", resource);

@id("agents-look")
permit (principal is Agent, action == Action::"ssh:exec", resource)
when {
  !context.opaque &&
  ["cat", "date", "df", "echo", "grep", "head", "id", "ls", "ps", "tail", "uname", "uptime"].containsAll(context.programs)
};

// Whatever else an agent wants to run, somebody has to approve, command by command.
@id("agents-ask")
@approval("changes")
permit (principal is Agent, action == Action::"ssh:exec", resource);

// Except for what nobody should approve, or cannot see through.
@id("agents-never")
forbid (principal is Agent, action == Action::"ssh:exec", resource)
when { context.opaque || ["dd", "mkfs", "reboot", "rm", "shutdown"].containsAny(context.programs) };

// A terminal can hide what is typed into it. In production agents run commands, which are exact.
@id("no-terminals-for-agents-in-production")
forbid (principal is Agent, action == Action::"ssh:shell", resource in Env::"prod");
`;
