// The table of users: searched, filtered, sorted, a page of rows at a time. Without this all rows are simply there.
(function () {
  "use strict";
  var PAGE = 100;
  var table = document.getElementById("users");
  var body = table.tBodies[0];
  var search = document.getElementById("search");
  var filters = { verdict: document.getElementById("by-verdict"), site: document.getElementById("by-site"), notes: document.getElementById("by-note") };
  var status = document.getElementById("status");
  var before = document.getElementById("before");
  var after = document.getElementById("after");
  var collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  var rows = Array.prototype.map.call(body.rows, function (row, order) {
    var more = row.querySelector("[data-path]");
    return {
      row: row, order: order, detail: null,
      text: (row.textContent + " " + (more ? more.getAttribute("data-path") : "")).toLowerCase(),
      verdict: row.getAttribute("data-verdict"), site: row.getAttribute("data-site"),
      notes: (row.getAttribute("data-notes") || "").split(" ")
    };
  });
  var shown = rows;
  var at = 0;
  var sorted = { column: -1, direction: 1 };

  function matches(item, words) {
    for (var i = 0; i < words.length; i++)
      if (item.text.indexOf(words[i]) < 0)
        return false;
    return (!filters.verdict.value || item.verdict === filters.verdict.value) &&
      (!filters.site.value || item.site === filters.site.value) &&
      (!filters.notes.value || item.notes.indexOf(filters.notes.value) >= 0);
  }

  function key(item) {
    return item.row.cells[sorted.column].textContent;
  }

  function number(value) {
    return value.toLocaleString("en-US");
  }

  // All that matches goes on paper, not only what is on the screen.
  function show(isPrinted) {
    var page = isPrinted ? shown : shown.slice(at, at + PAGE);
    var parts = [];
    page.forEach(function (item) {
      parts.push(item.row);
      if (item.detail)
        parts.push(item.detail);
    });
    body.replaceChildren();
    parts.forEach(function (part) { body.appendChild(part); });
    status.textContent = shown.length === 0 ? "Nobody matches." :
      number(isPrinted ? 1 : at + 1) + " to " + number((isPrinted ? 0 : at) + page.length) + " of " + number(shown.length) + (shown.length < rows.length ? " that match" : "");
    before.disabled = at === 0;
    after.disabled = at + PAGE >= shown.length;
  }

  function refresh() {
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = rows.filter(function (item) { return matches(item, words); });
    if (sorted.column >= 0)
      shown.sort(function (a, b) {
        return sorted.direction * collator.compare(key(a), key(b)) || a.order - b.order;
      });
    at = 0;
    show(false);
  }

  function sortBy(column, head) {
    sorted = { column: column, direction: sorted.column === column ? -sorted.direction : 1 };
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (cell) { cell.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", sorted.direction > 0 ? "ascending" : "descending");
    refresh();
  }

  function element(name, text, className) {
    var made = document.createElement(name);
    if (text !== undefined)
      made.textContent = text;
    if (className)
      made.className = className;
    return made;
  }

  function detailOf(item, button) {
    var row = element("tr", undefined, "more");
    var cell = element("td");
    var list = element("ol");
    var rule = button.getAttribute("data-rule");
    cell.colSpan = item.row.cells.length;
    if (rule)
      cell.appendChild(element("p", "Rule: " + rule));
    button.getAttribute("data-path").split("\n").filter(Boolean).forEach(function (dn) {
      var line = element("li");
      line.appendChild(element("bdi", dn, "dn"));
      list.appendChild(line);
    });
    if (list.childNodes.length > 0) {
      cell.appendChild(element("p", "The way from the entry to the rule's group:"));
      cell.appendChild(list);
    }
    row.appendChild(cell);
    return row;
  }

  function toggle(button) {
    var row = button.closest("tr");
    var item = rows.find(function (one) { return one.row === row; });
    if (item.detail) {
      item.detail.remove();
      item.detail = null;
    } else {
      item.detail = detailOf(item, button);
      row.after(item.detail);
    }
    button.setAttribute("aria-expanded", String(Boolean(item.detail)));
  }

  function turn(by) {
    at = Math.max(0, at + by);
    show(false);
    table.scrollIntoView({ block: "start" });
  }

  Array.prototype.forEach.call(table.tHead.rows[0].cells, function (cell, column) {
    var button = element("button", cell.textContent);
    button.type = "button";
    button.addEventListener("click", function () { sortBy(column, cell); });
    cell.textContent = "";
    cell.appendChild(button);
  });
  body.addEventListener("click", function (event) {
    var button = event.target.closest("button[data-path]");
    if (button)
      toggle(button);
  });
  search.addEventListener("input", refresh);
  Object.keys(filters).forEach(function (name) { filters[name].addEventListener("change", refresh); });
  document.getElementById("filters").addEventListener("submit", function (event) { event.preventDefault(); });
  document.getElementById("filters").addEventListener("reset", function () { setTimeout(refresh, 0); });
  before.addEventListener("click", function () { turn(-PAGE); });
  after.addEventListener("click", function () { turn(PAGE); });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search && search.value) {
      search.value = "";
      refresh();
    }
  });
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-note]");
    if (link) {
      document.getElementById("filters").reset();
      filters.notes.value = link.getAttribute("data-note");
      refresh();
    }
  });
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll(".finding").forEach(function (one) { one.open = true; });
    show(true);
  });
  window.addEventListener("afterprint", function () { show(false); });
  document.documentElement.classList.add("has-script");
  refresh();
})();
