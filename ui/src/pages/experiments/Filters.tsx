import { Button, Group, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useState } from "react";

import { given } from "../../lib/search";

const route = getRouteApi("/frame/experiments");

const states = ["queued", "running", "ended"] as const;

/** Search and filters of the list; the address is what holds them. */
export function Filters() {
  const { q = "", state, technology } = route.useSearch();
  const navigate = route.useNavigate();
  const [typed, setTyped] = useState(q);
  useEffect(() => setTyped(q), [q]);
  const search = useDebouncedCallback((text: string) => {
    navigate({ replace: true, search: (old) => given({ ...old, pages: undefined, q: text || undefined }) });
  }, 300);
  return (
    <Group align="end" gap="sm">
      <TextInput
        type="search"
        label="Search"
        placeholder="Name, technology, label or ID"
        maxLength={200}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          search(event.currentTarget.value.trim());
        }}
        style={{ flex: "1 1 14rem" }}
      />
      <NativeSelect
        label="State"
        value={state ?? ""}
        onChange={(event) => {
          const chosen = states.find((s) => s === event.currentTarget.value);
          navigate({ search: (old) => given({ ...old, pages: undefined, state: chosen }) });
        }}
        data={[
          { value: "", label: "Any" },
          { value: "queued", label: "Queued" },
          { value: "running", label: "Running" },
          { value: "ended", label: "Ended" },
        ]}
      />
      {technology && (
        <Button
          variant="default"
          onClick={() => navigate({ search: (old) => given({ ...old, pages: undefined, technology: undefined }) })}
        >
          Technology: {technology} ✕
        </Button>
      )}
    </Group>
  );
}
