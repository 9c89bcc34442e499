package provider_test

import (
	"os"
	"slices"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"

	"dec.local/dec/target/local"
)

func TestImport(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	rich := process("rich", "exec sleep 600", `
  files       = { "etc/config" = "a = 1\n" }
  artifacts   = { tools = "probe@1" }
  ready_port  = 0
  stop_signal = "SIGINT"
  grace       = 0.5
  memory      = 1073741824
  cpus        = [0]
  logs        = "`+t.TempDir()+`"
`)
	f.root(port, serving, rich).Must(apply...)
	var number string
	for _, o := range f.list() {
		if o.Kind == local.KindPort {
			number = o.ID
		}
	}
	imports := `
import {
  to = dec_port.port
  id = "` + number + `"
}
import {
  to = dec_process.broker-0
  id = "` + service + `"
}
import {
  to       = dec_process.rich
  identity = { id = "` + run + `-rich" }
}
`
	root := f.root(port, serving, rich, imports)
	plan := root.Plan()
	for address, got := range changes(plan) {
		if !slices.Equal(got, tfjson.Actions{tfjson.ActionNoop}) {
			t.Errorf("import of %s: %v, want no change", address, got)
		}
	}
	if len(plan.ResourceChanges) != 3 {
		t.Errorf("plan has %d resources, want 3", len(plan.ResourceChanges))
	}
	root.Must("apply", "-input=false", "plan")
	unchanged(t, root)
	root.Must(destroy...)
	f.nothing()
}

func TestImportNamesTheMissingObject(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ resource, to, id, want string }{
		"a process": {process("broker-0", "exit", ""), "dec_process.broker-0", service, "No process " + service},
		"a port":    {port, "dec_port.port", "29999", "No port 29999"},
		"no number": {port, "dec_port.port", "x", "No port x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			root := f.root(tt.resource, "import {\n to = "+tt.to+"\n id = \""+tt.id+"\"\n}\n")
			fails(t, root, []string{"plan", "-input=false"}, tt.want)
			f.nothing()
		})
	}
}

func TestADamagedProcessCanBeImportedAndDestroyed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := os.Mkdir(f.ledger.Folder(service), 0o700); err != nil {
		t.Fatal(err)
	}
	root := f.root(process("broker-0", "exit", "lifecycle {\n ignore_changes = all\n }"), `
import {
  to = dec_process.broker-0
  id = "`+service+`"
}`)
	root.Must(apply...)
	root.Must(destroy...)
	f.nothing()
}
