create table domains (domain text); insert into domains values ('ours.example'), ('other.example');
create table users (email text); insert into users values ('user@ours.example'), ('joe@ours.example');
create table aliases (source text, destination text);
insert into aliases values ('postmaster@ours.example', 'user@ours.example'), ('abuse@ours.example', 'user@ours.example'), ('abuse@ours.example', 'someone@remote.example'), ('@other.example', '@ours.example');
create table transports (domain text, transport text); insert into transports values ('maps.example', 'relay:[mx.remote.example]');
create table logins (email text, login text); insert into logins values ('joe@ours.example', 'joe'), ('user@ours.example', 'user');
