// The link that `token new` prints holds the token behind the #, which browsers send to nobody.

const field = document.getElementById("token");

if (location.hash.length > 1) {
  field.value = decodeURIComponent(location.hash.slice(1));
  // So that it stays in no history and no bookmark.
  history.replaceState(null, "", location.pathname);
  field.form.requestSubmit();
}
